import type { JsonSyntaxError } from '../cni/json.ts';
import type { Extent } from './document.ts';

/** Why a text is no JSON object, and what to do about it. */
export interface JsonDefect {
  readonly extent: Extent;
  readonly message: string;
  readonly fix: string;
}

export function notAnObject(text: string): JsonDefect {
  const offset = Math.max(0, text.search(/\S/));
  return {
    extent: { offset, length: 1 },
    message: 'the file is JSON, but no object',
    fix: 'begin it with "{": a network configuration is one object',
  };
}

/** What people write that JSON does not have is called by its name. */
export function syntaxDefect(text: string, { message, line, column }: JsonSyntaxError): JsonDefect {
  const offset = offsetOf(text, line, column);
  const defect = (message: string, fix: string, at = offset): JsonDefect => {
    return { extent: { offset: at, length: 1 }, message, fix };
  };
  const before = lastBefore(text, offset);
  const found = text[offset];
  if (text.trim() === '')
    return defect('the file is empty', 'write a network configuration into it, or remove it', 0);
  if (text.startsWith('\ufeff'))
    return defect(
      'the file begins with a byte order mark, which no runtime takes',
      'save it as UTF-8 without one',
      0,
    );
  if (found === '/' || found === '#')
    return defect('JSON has no comments', 'remove the comment: what must be said belongs beside the file');
  if ((found === '}' || found === ']') && text[before] === ',')
    return defect(`a comma stands before "${found}"`, 'remove the comma', before);
  if (found === "'") return defect('strings stand in double quotes', 'write " in place of \u0027');
  if (found === undefined)
    return defect(
      'the file ends too early',
      'close what is open; or the file was cut off while it was copied',
      before,
    );
  const isApart = before < offset - 1 || /["{[]/.test(found);
  if (
    message.startsWith('expected "," or') &&
    isApart &&
    /["{[\w-]/.test(found) &&
    /["}\]\w]/.test(text[before] ?? '')
  )
    return defect('a comma is missing after this', 'put a comma here', before);
  if (message.startsWith('nested deeper'))
    return defect('nested too deep for a configuration', 'remove the file, if it is none');
  const reason = message.replace(/ at line \d+, column \d+$/, '');
  return defect(`not JSON: ${reason}`, 'write here what JSON has in this place');
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let passed = 1; passed < line; passed++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

/** Of the last character before `offset` that is no white space; 0 where there is none. */
function lastBefore(text: string, offset: number): number {
  let at = Math.min(offset, text.length) - 1;
  while (at > 0 && /\s/.test(text[at] ?? '')) at -= 1;
  return Math.max(0, at);
}

import { type IsSecretName, isHarmless } from './secret-names.ts';
import { placeholder, type Span } from './span.ts';

/** Indentation, name, and the rest of a line of YAML, or of a header. */
const namedLine = /^([ \t]*(?:- +)?)([\w.-]+)[ \t]*:(?:[ \t]+(.*))?$/gm;

/** A value that stands on the lines below: nothing, or the head of a YAML block scalar. */
const isBlockHead = /^(?:[|>][-+0-9]*)?[ \t]*(?:#.*)?$/;

/** Secrets on lines of their own, `name: value`, as in a kubeconfig or in HTTP headers, with the lines that go on. */
export function findSecretLines(text: string, isSecretName: IsSecretName): Span[] {
  const spans: Span[] = [];
  if (!text.includes(':')) return spans;
  const pattern = new RegExp(namedLine);
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const [line, indentation = '', name = '', rest = ''] = found;
    const isBlock = isBlockHead.test(rest);
    if (!isSecretName(name) || (!isBlock && isHarmless(rest.trim()))) continue;
    const lineEnd = found.index + line.length;
    const start = isBlock ? startOfNextLine(text, lineEnd) : lineEnd - rest.length;
    const end = isBlock ? endOfBlock(text, start, indentation.length, rest === '') : lineEnd;
    if (end <= start) continue;
    const replacement = isBlock
      ? text.slice(start, start + indentationAt(text, start)) + placeholder
      : placeholder;
    spans.push({ start, end, replacement });
    pattern.lastIndex = end;
  }
  return spans;
}

/** The end of the last line that is indented deeper than its name; a list may stand right below the name. */
function endOfBlock(text: string, start: number, outer: number, mayBeList: boolean): number {
  let end = start;
  for (let position = start; position < text.length; ) {
    const lineEnd = endOfLine(text, position);
    const indentation = indentationAt(text, position);
    const first = text[position + indentation];
    const isBlank = position + indentation >= lineEnd;
    const isListItem = mayBeList && indentation === outer && first === '-';
    if (!isBlank && indentation <= outer && !isListItem) break;
    if (!isBlank) end = lineEnd;
    position = startOfNextLine(text, lineEnd);
  }
  return end;
}

function indentationAt(text: string, lineStart: number): number {
  let position = lineStart;
  while (text[position] === ' ' || text[position] === '\t') position += 1;
  return position - lineStart;
}

function endOfLine(text: string, position: number): number {
  const end = text.indexOf('\n', position);
  if (end === -1) return text.length;
  return end > position && text[end - 1] === '\r' ? end - 1 : end;
}

function startOfNextLine(text: string, lineEnd: number): number {
  const newline = text.indexOf('\n', lineEnd);
  return newline === -1 ? text.length : newline + 1;
}

import { isObject, type JsonObject, parseJson, parseJsonPrefix } from '../cni/json.ts';
import { excerpt, trim } from './excerpt.ts';

/** What a plugin printed on stdout: one JSON object, or the end of the sentence `the plugin ...`, or nothing. */
export interface Answer {
  readonly document?: JsonObject;
  readonly fault?: string;
}

/** Enough for log lines with braces in them, and an end to the search in whatever else was printed. */
const mostCandidates = 20;

/** @param quote makes a part of it fit for an error message */
export function readAnswer(stdout: string, quote: (text: string) => string = excerpt): Answer {
  if (trim(stdout) === '') return {};
  try {
    const value = parseJson(stdout);
    if (isObject(value)) return { document: value };
    return { fault: `printed JSON that is no object: ${quote(stdout)}` };
  } catch (error) {
    return { fault: faultOf(stdout, error instanceof Error ? error.message : String(error), quote) };
  }
}

function faultOf(stdout: string, reason: string, quote: (text: string) => string): string {
  const object = findObject(stdout);
  if (object === undefined) return `printed what is not JSON (${reason}): ${quote(stdout)}`;
  const before = trim(stdout.slice(0, object.start));
  const after = trim(stdout.slice(object.end));
  if (before !== '') return `printed something before its JSON: ${quote(before)}`;
  if (findObject(after)?.start === 0) return `printed two JSON values, the second is ${quote(after)}`;
  return `printed something after its JSON: ${quote(after)}`;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The first JSON object in the text; but not one inside an object that the text begins with and does not end. */
function findObject(text: string): Span | undefined {
  const first = text.search(/[^ \t\r\n]/);
  let start = text.indexOf('{');
  for (let candidate = 0; start >= 0 && candidate < mostCandidates; candidate += 1) {
    try {
      return { start, end: parseJsonPrefix(text, start).end };
    } catch {
      if (start === first) return undefined;
      start = text.indexOf('{', start + 1);
    }
  }
  return undefined;
}

import { isObject, type JsonObject, parseJson, parseJsonPrefix } from '../cni/json.ts';
import { excerpt, trim } from './excerpt.ts';

/** What a plugin printed on stdout: one JSON object, or the end of the sentence `the plugin ...`, or nothing. */
export interface Answer {
  readonly document?: JsonObject;
  readonly fault?: string;
}

/** Enough for log lines with braces in them, and an end to the search in whatever else was printed. */
const mostCandidates = 20;

export function readAnswer(stdout: string): Answer {
  if (trim(stdout) === '') return {};
  try {
    const value = parseJson(stdout);
    if (isObject(value)) return { document: value };
    return { fault: `printed JSON that is no object: ${excerpt(stdout)}` };
  } catch (error) {
    return { fault: faultOf(stdout, error instanceof Error ? error.message : String(error)) };
  }
}

function faultOf(stdout: string, reason: string): string {
  const object = findObject(stdout);
  if (object === undefined) return `printed what is not JSON (${reason}): ${excerpt(stdout)}`;
  const before = trim(stdout.slice(0, object.start));
  const after = trim(stdout.slice(object.end));
  if (before !== '') return `printed something before its JSON: ${excerpt(before)}`;
  if (findObject(after)?.start === 0) return `printed two JSON values, the second is ${excerpt(after)}`;
  return `printed something after its JSON: ${excerpt(after)}`;
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

import { type CniError, ValueError } from './error.ts';
import { type Json, stringifyJson } from './json.ts';

/** Something wrong in a document. */
export interface Problem {
  /** Where in the document, such as `prevResult.ips[0].address`. */
  readonly path: string;
  /** The whole sentence: path, value, and what is wrong with it. */
  readonly message: string;
  /** The very value, where `path` is only the key that it is read with. */
  readonly at?: string;
}

/** What becomes of a document that is read: its value, or what is wrong with it. */
export type Parsed<T> = { readonly value: T; readonly problems: [] } | { readonly problems: Problem[] };

/** `complaint` ends the sentence `path: value ...`; of a value that is not there it is only said that it is missing. */
export function problemWith(path: string, value: Json | undefined, complaint: string): Problem {
  const subject = path === '' ? 'the document' : path;
  if (value === undefined || value === null) return { path, message: `${subject}: is missing` };
  return { path, message: `${subject}: ${shorten(stringifyJson(value))} ${complaint}` };
}

/** What reading the key at `path` ended with. */
export function problemOf(error: CniError, path: string): Problem {
  const { message } = error;
  return error instanceof ValueError && error.path !== path
    ? { path, message, at: error.path }
    : { path, message };
}

/** The path of a key in the object at `path`; that of the document itself is empty. */
export function keyPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** More than a person reads, and few enough for a message. */
const mostProblems = 50;

/** Those that a message has room for; of very many the last one says how many more there are. */
export function firstOf<T>(wrong: readonly T[], describe: (item: T) => Problem, at: string): Problem[] {
  const found = wrong.slice(0, mostProblems).map(describe);
  const more = wrong.length - found.length;
  return more === 0 ? found : [...found, { path: at, message: `and ${more} more` }];
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

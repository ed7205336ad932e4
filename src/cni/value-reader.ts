import { isObject, type Json, JsonNumber } from './json.ts';
import { withSpelling } from './keys.ts';
import { keyPath } from './problem.ts';

/** A value that is not what it is meant to be; `complaint` as in `problemWith`. */
export interface WrongValue {
  readonly path: string;
  readonly value: Json;
  readonly complaint: string;
}

/**
 * Returns the value at `path` as it is to be kept, and adds to `wrong` what is wrong with it and in it. By hand and not
 * by a schema, for the same reason as `ConfigurationValue`.
 */
export type Reader = (value: Json, path: string, wrong: WrongValue[]) => Json;

/** How to read each of the keys that are known. */
export type Readers = Readonly<Record<string, Reader>>;

/**
 * A Go struct: known keys in any spelling, `null` as good as absent; keys that are not known stay as they came. What is
 * wrong is found in the order of `readers`, not of the document.
 */
export function struct(readers: Readers, required: readonly string[] = []): Reader {
  const names = Object.keys(readers);
  return (value, path, wrong) => {
    if (!isObject(value)) return refuse(value, path, wrong, 'is not an object');
    const object = withSpelling(value, names);
    for (const [name, read] of Object.entries(readers)) {
      const inner = object[name] ?? null;
      // A reader refuses null, so that what is required and absent is missing.
      if (inner !== null || required.includes(name)) object[name] = read(inner, keyPath(path, name), wrong);
      else delete object[name];
    }
    return object;
  };
}

export function list(read: Reader): Reader {
  return (value, path, wrong) => {
    if (!Array.isArray(value)) return refuse(value, path, wrong, 'is not an array');
    return value.map((item, index) => read(item, `${path}[${index}]`, wrong));
  };
}

export const text = textThat(() => true, '');

/** A string for which `holds`; `otherwise` is the complaint about another. */
export function textThat(holds: (text: string) => boolean, otherwise: string): Reader {
  return (value, path, wrong) => {
    if (typeof value !== 'string') return refuse(value, path, wrong, 'is not a string');
    return holds(value) ? value : refuse(value, path, wrong, otherwise);
  };
}

/** Stays as it was written: digits beyond 2^53 must survive. */
export function integer(value: Json, path: string, wrong: WrongValue[]): Json {
  return goInt(value) === undefined ? refuse(value, path, wrong, 'is not an integer') : value;
}

/** An integer, too, but as a number to work with. */
export function index(value: Json, path: string, wrong: WrongValue[]): Json {
  return goInt(value) ?? integer(value, path, wrong);
}

/** The value of a number that fits Go's `int`. skel takes 1.0 for 1, because it reads a prevResult twice. */
export function goInt(value: Json | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) <= 2 ** 63
    ? number
    : undefined;
}

function refuse(value: Json, path: string, wrong: WrongValue[], complaint: string): Json {
  wrong.push({ path, value, complaint });
  return value;
}

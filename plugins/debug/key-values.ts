import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import type { Attempt } from '../../src/cni/key-reader.ts';
import type { Journal } from '../../src/trace/journal-settings.ts';
import { parseDuration, parseSize } from '../../src/trace/quantity.ts';
import { invalidPattern } from '../../src/trace/redaction.ts';

/** Bytes. */
export function size(value: ConfigurationValue): number | undefined {
  return value.textAs(parseSize, 'is not a size such as "16MB"');
}

/** Milliseconds. */
export function duration(value: ConfigurationValue): number | undefined {
  return value.textAs(parseDuration, 'is not a duration such as "500ms" or "10s"');
}

export function pathOrOff(value: ConfigurationValue): string | false | undefined {
  if (value.value === false) return false;
  return value.textThat((text) => text === '' || isAbsolute(text), 'is not an absolute path');
}

/** What is not said is as in `otherwise`. */
export function journal(otherwise: Journal) {
  return (value: ConfigurationValue, attempt: Attempt): Journal | false | undefined => {
    if (value.value === false) return false;
    if (attempt(value, () => value.object()) === undefined) return undefined;
    const path = attempt(value.key('path'), (path) => absolutePath(path) ?? otherwise.path);
    const maxSize = attempt(value.key('maxSize'), (maxSize) => size(maxSize) ?? otherwise.maxSize);
    const maxFiles = attempt(value.key('maxFiles'), (maxFiles) => fileCount(maxFiles) ?? otherwise.maxFiles);
    if (path === undefined || maxSize === undefined || maxFiles === undefined) return undefined;
    return { path, maxSize, maxFiles };
  };
}

/** Regular expressions. */
export function patterns(list: ConfigurationValue, attempt: Attempt): string[] | undefined {
  return every(list, attempt, (item) => attempt(item, pattern));
}

/** Commands, each a list of its words. */
export function hooks(list: ConfigurationValue, attempt: Attempt): string[][] | undefined {
  return every(list, attempt, (item) => argv(item, attempt));
}

function argv(list: ConfigurationValue, attempt: Attempt): string[] | undefined {
  const words = every(list, attempt, (item) => attempt(item, (word) => word.text()));
  if (words === undefined) return undefined;
  return attempt(list, () => {
    if ((words[0] ?? '') === '') throw list.error('names no command');
    return words;
  });
}

/** What `how` makes of each item, all of which it looks at; undefined when it makes nothing of one. */
function every<T>(
  list: ConfigurationValue,
  attempt: Attempt,
  how: (item: ConfigurationValue) => T | undefined,
): T[] | undefined {
  const all = attempt(list, () => list.elements())?.map(how);
  return all?.every((item) => item !== undefined) ? all : undefined;
}

function pattern(value: ConfigurationValue): string | undefined {
  return value.textThat((text) => invalidPattern(text) === undefined, 'is not a regular expression');
}

function absolutePath(value: ConfigurationValue): string | undefined {
  return value.textThat(isAbsolute, 'is not an absolute path');
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

/** Written as it is in Go's integers: 4.0 is none. */
function fileCount(count: ConfigurationValue): number | undefined {
  if (count.isAbsent) return undefined;
  const { value } = count;
  if (typeof value !== 'number') throw count.error('is not a number');
  if (!Number.isSafeInteger(value)) throw count.error('is not an integer');
  if (value < 1) throw count.error('is less than 1');
  return value;
}

import { readFileSync } from 'node:fs';
import { journalsOf } from '../node/journals.ts';
import { knownNetworks } from '../node/known-networks.ts';
import { isThere, newestRecords } from '../node/newest-records.ts';
import { defaultCacheDir } from '../runtime/result-cache.ts';
import { parseLine } from '../trace/record-line.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { findAttachments } from './attachment-records.ts';
import { CommandFailure, ExitStatus } from './failure.ts';

/** One record, and all that there are of its attachment. */
export interface NamedRecord {
  readonly record: StoredRecord;
  /** In the order in which they were written. */
  readonly records: readonly StoredRecord[];
}

export interface RecordPlaces {
  readonly confDir: string;
  /** In place of those of the networks. */
  readonly journal?: readonly string[];
}

/**
 * The record that a word stands for: its ID, or `last`, or a file with records, or the container or pod whose last call
 * failed. Of a file, and of a container, it is the last that failed, else the last. Throws CommandFailure.
 */
export function namedRecord(word: string, places: RecordPlaces): NamedRecord {
  const records = word.includes('/') ? fileRecords(word) : undefined;
  if (records !== undefined) return { record: mostTelling(records), records };
  const journals = journalsIn(places);
  const found = findAttachments(word, () => newestRecords(journals));
  if (found === undefined || word === 'all') throw nothingOf(word, journals);
  return { record: found.named ?? mostTelling(found.records), records: found.records };
}

/** The journals that are named, else those of this node. */
export function journalsIn({ confDir, journal }: RecordPlaces): string[] {
  const lists = knownNetworks({ confDir, cacheDir: defaultCacheDir });
  return [...(journal ?? new Set([...lists.flatMap(journalsOf), ...journalsOf({ plugins: [] })]))];
}

/** Undefined where there is no such file: then it is a pod. */
function fileRecords(path: string): StoredRecord[] | undefined {
  const text = attempt(() => readFileSync(path));
  if (text === undefined) return undefined;
  const whole = parseLine(text);
  const lines = text.toString('utf8').split('\n').filter(Boolean);
  const parsed = typeof whole === 'object' ? [whole] : lines.map((line) => parseLine(Buffer.from(line)));
  const records = parsed.filter((record) => typeof record === 'object');
  if (records.length > 0) return records;
  throw new CommandFailure(ExitStatus.unknown, `${path} has no record in it that this version can read`);
}

function mostTelling(records: readonly StoredRecord[]): StoredRecord {
  const ids = new Set(records.filter(({ kind }) => kind === 'call').map(({ id }) => id));
  const calls = records.filter(({ kind, id }) => kind === 'call' || !ids.has(id));
  const failed = calls.filter(({ kind, error }) => kind === 'begin' || error !== undefined);
  return (failed.at(-1) ?? calls.at(-1)) as StoredRecord;
}

function nothingOf(word: string, journals: readonly string[]): CommandFailure {
  const places = journals.join(', ');
  if (journals.some(isThere))
    return new CommandFailure(ExitStatus.unknown, `no record ${JSON.stringify(word)} in ${places}`, [
      'cni-debug logs shows what there is; an error of debug names its record in "details"',
    ]);
  return new CommandFailure(ExitStatus.unknown, `there is no journal: ${places}`, [
    'a plugin "debug" in a chain keeps one: cni-debug install --into FILE',
  ]);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CommandFailure(ExitStatus.unknown, message);
  }
}

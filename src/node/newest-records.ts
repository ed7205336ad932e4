import { existsSync } from 'node:fs';
import { recordsFromEnd } from '../trace/journal-reader.ts';
import { defaultJournal } from '../trace/journal-settings.ts';
import { writtenAt } from '../trace/read-journals.ts';
import { parseLine } from '../trace/record-line.ts';
import type { StoredRecord } from '../trace/stored-record.ts';

/**
 * The records of several journals, the last that was written first, also those of files that were renamed to `.1` and so
 * on. Each journal keeps its own order, whatever its clock did. Throws SystemError.
 */
export function* newestRecords(journals: readonly string[], parse = parseLine): Generator<StoredRecord> {
  const sources = journals.map((path) => ofOne(path, parse));
  try {
    const heads = sources.map((source) => ({ source, next: source.next() }));
    for (;;) {
      const [newest] = heads
        .filter(({ next }) => !next.done)
        .sort((one, other) => (timeOf(one.next.value) < timeOf(other.next.value) ? 1 : -1));
      if (newest === undefined || newest.next.done) return;
      yield newest.next.value;
      newest.next = newest.source.next();
    }
  } finally {
    for (const source of sources) source.return(undefined);
  }
}

/** Whether there is a file of this journal. */
export function isThere(journal: string): boolean {
  return withOlder(journal).some((path) => existsSync(path));
}

function* ofOne(journal: string, parse: typeof parseLine): Generator<StoredRecord, undefined> {
  for (const path of withOlder(journal)) yield* recordsFromEnd(path, parse);
  return undefined;
}

/** Newest first; a journal may keep more files than it does by default. */
function withOlder(journal: string): string[] {
  const paths = [journal];
  for (let number = 1; number < defaultJournal.maxFiles || existsSync(`${journal}.${number}`); number += 1)
    paths.push(`${journal}.${number}`);
  return paths;
}

function timeOf(record: StoredRecord | undefined): string {
  return record === undefined ? '' : writtenAt(record);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Found, ReadingNotes } from '../trace/found-records.ts';
import { JournalFollow } from '../trace/journal-follow.ts';
import { isRunning } from '../trace/living-process.ts';
import { writtenAt } from '../trace/read-journals.ts';
import { parseWithMends } from '../trace/record-line.ts';
import type { RecordQuery, RecordSearch } from '../trace/record-search.ts';
import type { LogSource } from './log-sources.ts';

/** Between two looks: a quarter of what a person takes for at once, and a file status call or two. */
const lookEveryMs = 100;

/** A call that takes longer is shown as running before it is shown. */
const patienceMs = 500;

type FoundLine = Pick<Found, 'record' | 'line'>;

/**
 * What is written to journals from now on, until the signal is aborted. A call that does not end at once is first found
 * by its beginning; `everyBegin` finds every beginning.
 */
export async function* followJournals(
  sources: readonly LogSource[],
  search: RecordSearch,
  notes: ReadingNotes,
  { signal, everyBegin, warn }: { signal: AbortSignal; everyBegin: boolean; warn: (message: string) => void },
): AsyncGenerator<FoundLine> {
  const journals = await Promise.all(
    sources.map(({ path, files }) => JournalFollow.behind(path, files, warn)),
  );
  const open = new OpenCalls(search.query);
  try {
    while (!signal.aborted) {
      const lines = (await Promise.all(journals.map((journal) => journal.look()))).flat();
      const records = lines.flatMap((line) => {
        const record = search.mayMatch(line) ? parseWithMends(line) : 'other';
        if (record === 'damaged' || record === 'unknown') notes[record] += 1;
        return typeof record === 'string' ? [] : [{ record, line }];
      });
      if (journals.length > 1)
        records.sort((one, other) => (writtenAt(one.record) < writtenAt(other.record) ? -1 : 1));
      for (const found of records) {
        const { kind, id } = found.record;
        if (kind === 'call') open.end(id);
        if (!search.matches(found.record)) continue;
        if (kind !== 'begin' || everyBegin) yield found;
        else open.begin(found);
      }
      yield* open.due();
      await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    for (const journal of journals) journal.close();
  }
}

interface OpenCall {
  readonly found: FoundLine;
  readonly since: number;
  isShown: boolean;
  isGone: boolean;
}

/** Calls that have begun, until they end. */
class OpenCalls {
  readonly #calls = new Map<string, OpenCall>();

  constructor(private readonly query: RecordQuery) {}

  begin(found: FoundLine): void {
    this.#calls.set(found.record.id, { found, since: performance.now(), isShown: false, isGone: false });
  }

  end(id: string): void {
    this.#calls.delete(id);
  }

  /** What is worth a line by now: a call that takes its time, once, and one whose process is gone. */
  *due(): Generator<FoundLine> {
    const { failed, slowerMs = 0 } = this.query;
    for (const [id, call] of this.#calls) {
      const { found, since, isShown, isGone } = call;
      if (isGone) {
        this.#calls.delete(id);
        yield found;
      } else if (!isShown && !failed && performance.now() - since >= Math.max(patienceMs, slowerMs)) {
        call.isShown = true;
        yield found;
      }
      // It may have written its end since the last look, so that the next one decides.
      call.isGone = !isRunning(found.record);
    }
  }
}

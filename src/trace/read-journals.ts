import type { Found, FoundRecords, Position } from './found-records.ts';
import type { StoredRecord } from './stored-record.ts';

export interface ReadingOrder {
  /** Only so many, the newest. */
  readonly tail?: number | undefined;
  /** Newest first. */
  readonly reverse?: boolean | undefined;
}

/** What several journals have, by the time at which it was written, each journal in its own order. */
export async function* readJournals(
  journals: readonly FoundRecords[],
  { tail, reverse = false }: ReadingOrder,
): AsyncGenerator<Found> {
  if (reverse) {
    yield* first(
      tail,
      merged(
        journals.map((journal) => journal.fromEnd()),
        isLater,
      ),
    );
  } else if (tail === undefined) {
    yield* merged(
      journals.map((journal) => journal.fromBeginning()),
      isEarlier,
    );
  } else if (journals.some(({ files }) => files.some(({ isPipe }) => isPipe))) {
    yield* last(
      tail,
      merged(
        journals.map((journal) => journal.fromBeginning()),
        isEarlier,
      ),
    );
  } else {
    const starts = await startsOf(journals, tail);
    yield* merged(
      [...starts].map(([journal, start]) => journal.fromBeginning(start)),
      isEarlier,
    );
  }
}

/** Where to begin in each journal, to find as many records in all; a journal that has none of them is left out. */
async function startsOf(
  journals: readonly FoundRecords[],
  tail: number,
): Promise<Map<FoundRecords, Position>> {
  const starts = new Map<FoundRecords, Position>();
  const marked = journals.map((journal) => withJournal(journal));
  for await (const { journal, at } of first(tail, merged(marked, isLater))) starts.set(journal, at);
  return starts;
}

async function* withJournal(journal: FoundRecords): AsyncGenerator<Found & { journal: FoundRecords }> {
  for await (const found of journal.fromEnd()) yield { ...found, journal };
}

async function* first<T>(count = Number.POSITIVE_INFINITY, source: AsyncGenerator<T>): AsyncGenerator<T> {
  let left = count;
  if (left === 0) return;
  for await (const one of source) {
    yield one;
    left -= 1;
    if (left === 0) return;
  }
}

/** Of what cannot be read from its end; it is kept until that has come. */
async function* last(count: number, source: AsyncGenerator<Found>): AsyncGenerator<Found> {
  const kept: Found[] = [];
  for await (const found of source) {
    kept.push({ ...found, line: Buffer.from(found.line) });
    if (kept.length > count) kept.shift();
  }
  yield* kept;
}

type Comes = (one: StoredRecord, other: StoredRecord) => boolean;

const isEarlier: Comes = (one, other) => writtenAt(one) < writtenAt(other);
const isLater: Comes = (one, other) => writtenAt(one) > writtenAt(other);

/** A clock that goes backwards does not change the order within a journal: only the next one of each is compared. */
async function* merged<T extends Found>(sources: AsyncGenerator<T>[], comesBefore: Comes): AsyncGenerator<T> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
    for (;;) {
      let best: (typeof heads)[number] | undefined;
      for (const head of heads) {
        if (head.next.done) continue;
        if (best === undefined || comesBefore(head.next.value.record, best.next.value.record)) best = head;
      }
      if (best === undefined) return;
      yield best.next.value;
      best.next = await best.source.next();
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

/** ISO 8601, which sorts as it is. */
export function writtenAt({ document, startedAt }: StoredRecord): string {
  return typeof document.time === 'string' ? document.time : startedAt.toISOString();
}

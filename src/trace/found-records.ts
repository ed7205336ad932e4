import type { JournalFile } from './journal-files.ts';
import { blocksFromEnd, blocksOf } from './line-blocks.ts';
import { linesIn, linesInFromEnd } from './line-search.ts';
import { headOf, isWrittenBefore, parseWithMends } from './record-line.ts';
import type { RecordSearch } from './record-search.ts';
import type { StoredRecord } from './stored-record.ts';

/** A record, and the line that it is. */
export interface Found {
  readonly record: StoredRecord;
  /** Without its line break; the bytes change when the next record is asked for. */
  readonly line: Buffer;
  readonly at: Position;
}

/** The beginning of a line. */
export interface Position {
  /** Which of the journal's files, the oldest being 0. */
  readonly file: number;
  /** Bytes from the beginning of what the file holds, uncompressed. */
  readonly offset: number;
}

/** What reading met on its way. */
export interface ReadingNotes {
  /** Lines that are no JSON, among those that had to be looked at. */
  damaged: number;
  /** Lines that are no record, or one of a version that is not ours. */
  unknown: number;
  /** What could not be read, or not to its end. */
  readonly problems: string[];
  /** Is told of each piece of a file that is read. */
  onRead?: (() => void) | undefined;
}

export function newNotes(): ReadingNotes {
  return { damaged: 0, unknown: 0, problems: [] };
}

const beginning: Position = { file: 0, offset: 0 };

/** What a journal's files have of what is searched, oldest first or newest first. Memory does not grow with them. */
export class FoundRecords {
  constructor(
    readonly files: readonly JournalFile[],
    private readonly search: RecordSearch,
    private readonly notes: ReadingNotes,
    /** Records of kind `begin` are found whatever became of the call. */
    private readonly everyBegin: boolean,
  ) {}

  async *fromBeginning(from: Position = beginning): AsyncGenerator<Found> {
    const endings = new Endings(this.#lines(from));
    // A pipe cannot be read ahead: who has begun is told when nobody can end any more.
    const open = new Map<string, Found>();
    try {
      for await (const { line, at, isPiped } of this.#lines(from, this.notes)) {
        endings.passed += 1;
        const ended = isPiped ? headOf(line) : undefined;
        if (ended?.kind === 'call') open.delete(ended.id);
        const record = this.#parse(line);
        if (record === undefined || !this.search.matches(record)) continue;
        const found = { record, line, at };
        if (record.kind !== 'begin' || this.everyBegin) yield found;
        else if (isPiped) open.set(record.id, { ...found, line: Buffer.from(line) });
        else if (!(await endings.has(record.id))) yield found;
      }
      yield* open.values();
    } finally {
      await endings.close();
    }
  }

  async *fromEnd(): AsyncGenerator<Found> {
    const ended = new RecentlyEnded();
    for await (const { line, at } of this.#linesFromEnd()) {
      const head = headOf(line);
      if (head?.kind === 'call') ended.add(head.id);
      const record = this.#parse(line);
      if (record === undefined || !this.search.matches(record)) continue;
      const found = { record, line, at };
      if (record.kind !== 'begin' || this.everyBegin) yield found;
      else if (!ended.has(record.id) && !(ended.hasForgotten && (await this.#endsBehind(found)))) yield found;
    }
  }

  /** Undefined for what need not be looked at, and for what is none. */
  #parse(line: Buffer): StoredRecord | undefined {
    const { notBefore } = this.search;
    if (notBefore !== undefined && isWrittenBefore(line, notBefore)) return undefined;
    if (!this.search.mayHaveEndedSo(line)) return undefined;
    const record = parseWithMends(line);
    if (typeof record === 'object') return record;
    if (record !== 'mend') this.notes[record] += 1;
    return undefined;
  }

  /** Every line that may be about what is searched. */
  async *#lines(from: Position, notes?: ReadingNotes): AsyncGenerator<FoundLine> {
    const [needle] = this.search.needles;
    for (const [file, journalFile] of this.files.entries()) {
      if (file < from.file) continue;
      const { isPipe: isPiped } = journalFile;
      if (isPiped && notes === undefined) return;
      try {
        for await (const { bytes, start: offset } of blocksOf(
          journalFile,
          file === from.file ? from.offset : 0,
        )) {
          notes?.onRead?.();
          for (const { start, end } of linesIn(bytes, needle)) {
            const line = bytes.subarray(start, end);
            if (this.search.mayMatch(line, 1)) yield { line, at: { file, offset: offset + start }, isPiped };
          }
        }
      } catch (error) {
        notes?.problems.push(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async *#linesFromEnd(): AsyncGenerator<FoundLine> {
    const [needle] = this.search.needles;
    for (const [file, journalFile] of [...this.files.entries()].reverse()) {
      try {
        if (journalFile.compression !== undefined) {
          yield* this.#compressedFromEnd(file);
          continue;
        }
        for (const { bytes, start: offset } of blocksFromEnd(journalFile)) {
          this.notes.onRead?.();
          for (const { start, end } of linesInFromEnd(bytes, needle)) {
            const line = bytes.subarray(start, end);
            if (this.search.mayMatch(line, 1))
              yield { line, at: { file, offset: offset + start }, isPiped: false };
          }
        }
      } catch (error) {
        this.notes.problems.push(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** What is compressed has no end to begin at: it is read once for every few thousand lines that are wanted of it. */
  async *#compressedFromEnd(file: number): AsyncGenerator<FoundLine> {
    const only = new FoundRecords([this.files[file] as JournalFile], this.search, this.notes, true);
    for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
      const problems = this.notes.problems.length;
      let kept: FoundLine[] = [];
      let count = 0;
      for await (const { line, at } of only.#lines(beginning, this.notes)) {
        if (count === left) break;
        count += 1;
        kept.push({ line: Buffer.from(line), at: { ...at, file }, isPiped: false });
        if (kept.length === 2 * fewThousand) kept = kept.slice(fewThousand);
      }
      if (left !== Number.POSITIVE_INFINITY) this.notes.problems.length = problems;
      const last = kept.slice(-fewThousand);
      yield* last.reverse();
      left = count - last.length;
    }
  }

  async #endsBehind({ record, at }: Found): Promise<boolean> {
    for await (const { line } of this.#lines(at)) {
      const head = headOf(line);
      if (head?.kind === 'call' && head.id === record.id) return true;
    }
    return false;
  }
}

const fewThousand = 4096;

interface FoundLine {
  readonly line: Buffer;
  readonly at: Position;
  readonly isPiped: boolean;
}

/**
 * Which calls have ended, found by a second reader that goes ahead of the first, but only as far as it is asked to. It
 * keeps no more than the calls that are open where it stands, so that a million others cost no memory; and it meets the
 * journal's end once, however many calls have none.
 */
class Endings {
  /** Lines that the first reader has come to. */
  passed = 0;
  #ahead = 0;
  readonly #open = new Set<string>();

  constructor(private readonly lines: AsyncGenerator<FoundLine>) {}

  /** Whether the call has a record of its end, at or behind the line which the first reader stands at. */
  async has(id: string): Promise<boolean> {
    while (this.#ahead < this.passed || this.#open.has(id)) {
      const { value, done } = await this.lines.next();
      if (done) break;
      this.#ahead += 1;
      const head = headOf(value.line);
      if (head?.kind === 'begin') this.#open.add(head.id);
      else if (head !== undefined) this.#open.delete(head.id);
    }
    return !this.#open.has(id);
  }

  async close(): Promise<void> {
    await this.lines.return(undefined);
  }
}

/** Which calls a reader that comes from the end has seen the end of. */
class RecentlyEnded {
  hasForgotten = false;
  #recent = new Set<string>();
  #older = new Set<string>();

  add(id: string): void {
    this.#recent.add(id);
    if (this.#recent.size < mostRemembered) return;
    this.hasForgotten ||= this.#older.size > 0;
    this.#older = this.#recent;
    this.#recent = new Set();
  }

  has(id: string): boolean {
    return this.#recent.has(id) || this.#older.has(id);
  }
}

/** Twice as many are never written between the beginning of a call and its end, and cost a megabyte or two. */
const mostRemembered = 16_384;

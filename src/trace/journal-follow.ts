import { constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';
import { closeFiles, identityOf, type JournalFile, openJournal } from './journal-files.ts';
import { blocksOf } from './line-blocks.ts';
import { linesIn } from './line-search.ts';

/** Enough of a file to know it again under another name, or compressed: every record has an ID among them. */
const markLength = 256;

/**
 * What is written to a journal from now on, as `tail -F` has it: no line is lost or doubled when it is renamed, also
 * several times between two looks and while others compress it, when it is cut, or made only later.
 */
export class JournalFollow {
  #current: JournalFile | undefined;
  /** Bytes of the current file that were taken, a part of a line among them. */
  #offset = 0;
  /** The beginning of a line that is not whole yet. */
  #part = Buffer.alloc(0);
  #mark = '';
  /** Of the older files that there were when the current one was opened: nothing in them is new. */
  #known = new Set<string>();

  private constructor(
    private readonly path: string,
    private readonly problems: (message: string) => void,
  ) {}

  /**
   * Behind `files`, which `openJournal` found at `path` and `wholeLinesOf` has ended with a line break; the caller
   * closes them.
   */
  static async behind(
    path: string,
    files: readonly JournalFile[],
    problems: (message: string) => void,
  ): Promise<JournalFollow> {
    const follow = new JournalFollow(path, problems);
    const current = files.find((file) => file.path === path);
    await follow.#remember(files.filter((file) => file !== current));
    if (current === undefined) return follow;
    // The same file, whatever it is called by now.
    follow.#current = { ...current, fd: openSync(`/proc/self/fd/${current.fd}`, constants.O_RDONLY) };
    follow.#offset = current.size;
    follow.#mark = markOf(current) ?? '';
    return follow;
  }

  close(): void {
    if (this.#current !== undefined) closeFiles([this.#current]);
    this.#current = undefined;
  }

  /** The whole lines that have come since the last look, in order. Throws SystemError. */
  async look(): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    for (;;) {
      if (this.#current === undefined && !(await this.#begin(lines))) return lines;
      const current = this.#current as unknown as JournalFile;
      if (this.#isCut(current)) {
        await this.#takeCopied(current, lines);
        this.#startAgain();
      }
      this.#take(current, lines);
      const there = withSystemError('stat', this.path, () => statSync(this.path, { throwIfNoEntry: false }));
      // Renamed, and nobody has made a new one: whoever had it open may still write.
      if (there === undefined || identityOf(there) === current.identity) return lines;
      // Between reading and renaming, too.
      this.#take(current, lines);
      if (this.#mark !== '') this.#known.add(this.#mark);
      this.close();
    }
  }

  /** Opens the file that is there now, and takes what was in others since. False where there is none. */
  async #begin(lines: Buffer[]): Promise<boolean> {
    const { files, refused } = openJournal(this.path);
    for (const error of refused) this.problems(error.message);
    const current = files.at(-1);
    if (current?.path !== this.path) {
      closeFiles(files);
      return false;
    }
    const older = files.slice(0, -1);
    try {
      for (const file of await this.#unseen(older)) await this.#takeAll(file, 0, lines);
      this.#known = new Set();
      await this.#remember(older);
    } finally {
      closeFiles(older);
    }
    this.#current = current;
    this.#startAgain();
    return true;
  }

  #startAgain(): void {
    this.#offset = 0;
    this.#part = Buffer.alloc(0);
    this.#mark = '';
  }

  async #remember(files: readonly JournalFile[]): Promise<void> {
    for (const file of files) {
      const mark = await this.#markOf(file);
      if (mark !== '') this.#known.add(mark);
    }
  }

  /** Those that are newer than any which is known, oldest first. */
  async #unseen(older: readonly JournalFile[]): Promise<JournalFile[]> {
    const unseen: JournalFile[] = [];
    for (const file of [...older].reverse()) {
      const mark = await this.#markOf(file);
      if (this.#known.has(mark)) break;
      if (mark !== '') unseen.unshift(file);
    }
    return unseen;
  }

  /** Cut to nothing, or cut and written to again. */
  #isCut(file: JournalFile): boolean {
    const { size } = withSystemError('fstat', file.path, () => fstatSync(file.fd));
    return size < this.#offset || (this.#mark !== '' && markOf(file) !== this.#mark);
  }

  /** Whoever cuts a file has copied it before (logrotate's `copytruncate`): the end of the copy may be new. */
  async #takeCopied(current: JournalFile, lines: Buffer[]): Promise<void> {
    if (this.#mark === '') return;
    const { files } = openJournal(this.path);
    try {
      for (const file of files.filter(({ identity }) => identity !== current.identity).reverse()) {
        if ((await this.#markOf(file)) !== this.#mark) continue;
        await this.#takeAll(file, this.#offset - this.#part.length, lines);
        this.#known.add(this.#mark);
        return;
      }
    } finally {
      closeFiles(files);
    }
  }

  /** What a file that is not written to any more has from a byte on. */
  async #takeAll(file: JournalFile, from: number, lines: Buffer[]): Promise<void> {
    try {
      for await (const { bytes } of blocksOf(file, from))
        for (const { start, end } of linesIn(bytes)) lines.push(Buffer.from(bytes.subarray(start, end)));
    } catch (error) {
      this.problems(error instanceof Error ? error.message : String(error));
    }
  }

  /** What has come to the current file. */
  #take(file: JournalFile, lines: Buffer[]): void {
    if (this.#mark === '') this.#mark = markOf(file) ?? '';
    for (;;) {
      const piece = Buffer.allocUnsafe(65536);
      const count = withSystemError('read', file.path, () =>
        readSync(file.fd, piece, 0, piece.length, this.#offset),
      );
      if (count === 0) return;
      this.#offset += count;
      const bytes = Buffer.concat([this.#part, piece.subarray(0, count)]);
      const end = bytes.lastIndexOf(10) + 1;
      for (const line of linesIn(bytes.subarray(0, end))) lines.push(bytes.subarray(line.start, line.end));
      this.#part = bytes.subarray(end);
    }
  }

  async #markOf(file: JournalFile): Promise<string> {
    if (file.compression === undefined) return markOf(file) ?? '';
    try {
      for await (const { bytes } of blocksOf(file)) return markIn(bytes) ?? '';
    } catch {
      // Reading it will say so.
    }
    return '';
  }
}

/** Undefined where there is not enough of it to tell. */
function markOf({ fd, path }: JournalFile): string | undefined {
  const bytes = Buffer.alloc(markLength);
  const count = withSystemError('read', path, () => readSync(fd, bytes, 0, markLength, 0));
  return markIn(bytes.subarray(0, count));
}

/** The first line, or as much of it as is enough. */
function markIn(bytes: Buffer): string | undefined {
  const end = bytes.subarray(0, markLength).indexOf(10);
  if (end < 0 && bytes.length < markLength) return undefined;
  return bytes.toString('latin1', 0, end < 0 ? markLength : end);
}

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SystemError, withSystemError } from '../kernel/system-error.ts';
import { blocksFromEnd } from './line-blocks.ts';

export type Compression = 'gzip' | 'zstd';

/** An open file of a journal, as much of it as there was when it was opened. */
export interface JournalFile {
  readonly path: string;
  readonly fd: number;
  /** Bytes on disk. */
  readonly size: number;
  readonly compression: Compression | undefined;
  /** Comes once, and cannot be read from its end. */
  readonly isPipe: boolean;
  /** `device:inode` */
  readonly identity: string;
}

export interface JournalFiles {
  /** Oldest first; the one that is written to is the last. */
  readonly files: readonly JournalFile[];
  readonly refused: readonly SystemError[];
}

/**
 * Opens a journal: its file, and those that it was renamed to, whoever did that and also compressed (`.1`, `.2.gz`,
 * `-20261128.zst`). All at once and before one is read, so that a rotation meanwhile neither hides nor doubles a file.
 * A file that is not there is none; `-` is stdin. The caller closes them.
 */
export function openJournal(path: string): JournalFiles {
  if (path === '-') return { files: [journalFile('stdin', 0)], refused: [] };
  for (let attempt = 1; ; attempt += 1) {
    const opened = openAll(path);
    if (attempt === mostAttempts || opened.files.every(isStillThere)) return opened;
    closeFiles(opened.files);
  }
}

export function closeFiles(files: readonly JournalFile[]): void {
  for (const { fd } of files) if (fd > 2) closeSync(fd);
}

/** The same files without a last line that is still being written. For who follows them, and will see the rest. */
export function wholeLinesOf(files: readonly JournalFile[]): JournalFile[] {
  return files.map((file, index) => {
    if (index < files.length - 1 || file.compression !== undefined || file.isPipe) return file;
    for (const { bytes, start } of blocksFromEnd(file)) {
      const end = bytes.lastIndexOf(10) + 1;
      if (end > 0) return { ...file, size: start + end };
    }
    return { ...file, size: 0 };
  });
}

/** A node that rotates more often while seven files are opened has other troubles. */
const mostAttempts = 20;

function openAll(path: string): JournalFiles {
  const files: JournalFile[] = [];
  const refused: SystemError[] = [];
  const attempt = <T>(look: () => T): T | undefined => {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (!['ENOENT', 'ENOTDIR'].includes(error.code)) refused.push(error);
      return undefined;
    }
  };
  // The journal's own error says enough where its folder cannot be looked at either.
  const current = attempt(() => open(path));
  const older = refused.length > 0 ? [] : (attempt(() => olderThan(path)) ?? []);
  for (const name of older) {
    const file = attempt(() => open(join(dirname(path), name)));
    if (file !== undefined) files.push(file);
  }
  return { files: current === undefined ? files : [...files, current], refused };
}

/** Names of the files that this one was rotated to, oldest first. */
function olderThan(path: string): string[] {
  const name = basename(path);
  const folder = dirname(path);
  const names = withSystemError('open', folder, () => readdirSync(folder));
  const found = names.flatMap((candidate) => {
    const [, stem, digits, compressed] = candidate.startsWith(name)
      ? (rotated.exec(candidate.slice(name.length)) ?? [])
      : [];
    return stem === undefined ? [] : [{ candidate, stem, age: ageOf(digits ?? ''), compressed }];
  });
  return (
    found
      // A compressor leaves both until it is done.
      .filter(
        ({ stem, compressed }) => !compressed || !found.some((one) => one.stem === stem && !one.compressed),
      )
      .sort((one, other) => other.age - one.age)
      .map(({ candidate }) => candidate)
  );
}

/** `.1`, `.2.gz`, `-20261128`, `-20261128-1764288000.zst` */
const rotated = /^([.-](\d+(?:-\d+)?))(\.gz|\.zst)?$/;

/** Numbers grow with age, dates shrink with it; what has a date was given a number before, if at all. */
function ageOf(digits: string): number {
  const number = Number(digits.replace('-', '.'));
  return digits.length < 8 ? number : Number.MAX_SAFE_INTEGER - number;
}

/** A pipe is opened as it is: `<(zcat journal.gz)`. */
function open(path: string): JournalFile {
  const { O_RDONLY, O_NONBLOCK } = constants;
  const isPipe = withSystemError('stat', path, () => statSync(path)).isFIFO();
  const fd = withSystemError('open', path, () => openSync(path, isPipe ? O_RDONLY : O_RDONLY | O_NONBLOCK));
  try {
    return journalFile(path, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function journalFile(path: string, fd: number): JournalFile {
  const stats = withSystemError('stat', path, () => fstatSync(fd));
  const isPipe = !stats.isFile() && !stats.isDirectory();
  return {
    ...{ path, fd, isPipe, identity: identityOf(stats) },
    size: stats.size,
    compression: isPipe ? undefined : compressionOf(path, fd),
  };
}

/** By what it holds: a name may lie. */
function compressionOf(path: string, fd: number): Compression | undefined {
  const magic = Buffer.alloc(4);
  withSystemError('read', path, () => readSync(fd, magic, 0, 4, 0));
  if (magic.readUInt16BE(0) === 0x1f8b) return 'gzip';
  return magic.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : undefined;
}

function isStillThere({ path, identity }: JournalFile): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && identityOf(stats) === identity;
}

/** `device:inode` */
export function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

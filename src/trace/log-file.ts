import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { lockFile } from '../kernel/file-lock.ts';

/** A log that cannot be written: `log "/tmp/cni_output.log" cannot be written: it is a symbolic link`. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
  constructor(path: string, reason: string, cause?: unknown) {
    super(`log ${JSON.stringify(path)} cannot be written: ${reason}`, { cause });
  }
}

export interface LogFileOptions {
  /** Make the folder that the file is in, for its owner alone, if there is none. */
  readonly makeFolder: boolean;
}

export interface Rotation extends LogFileOptions {
  /** Bytes that a file may have before it is renamed to `.1`. */
  readonly maxSize: number;
  /** How many files are kept in all, at least 1: with 1 there is no rotation. */
  readonly maxFiles: number;
}

/** Held for a fraction of a millisecond, but by processes that a busy node may not let run for long. */
const lockTimeoutMs = 5000;

/** Less room than this, in bytes, counts as a full disk: two records of an ordinary call. */
const leastRoom = 16 * 1024;

/**
 * Appends one record in one write, and rotates before that when it is due. Processes that do so at once lose, tear and
 * mix nothing. Returns what is worth a note although the record was written. Throws LogFileError, and then no part of
 * the record stays in the file.
 */
export function appendRecord(path: string, record: string | Buffer, rotation: Rotation): string | undefined {
  const bytes = Buffer.from(record as string);
  // Others rotate, too: whoever has the lock of a file that is no longer at the path tries the one that is.
  for (let tries = 0; tries < 100; tries += 1) {
    const fd = openLog(path, rotation);
    try {
      const unlocked = complaintOf(() => lockFile(fd, { path, timeoutMs: lockTimeoutMs }));
      if (unlocked !== undefined) {
        attempt(path, () => writeSync(fd, bytes));
        return `log ${JSON.stringify(path)} was written without its lock: ${unlocked}`;
      }
      if (!isStillAt(path, fd)) continue;
      const isFull = isDue(fd, bytes.length, rotation);
      const unrotated = isFull ? complaintOf(() => rotate(path, rotation.maxFiles)) : undefined;
      if (isFull && unrotated === undefined) continue;
      writeWhole(fd, path, bytes);
      return unrotated && `log ${JSON.stringify(path)} could not be rotated: ${unrotated}`;
    } finally {
      closeSync(fd);
    }
  }
  throw new LogFileError(path, 'it is renamed again and again');
}

/** Opens and closes the file as for a record. Throws LogFileError when a record could not be written now. */
export function checkLogFile(path: string, options: LogFileOptions): void {
  closeSync(openLog(path, options));
  const { bfree, bsize } = statfsSync(path);
  if (bfree * bsize < leastRoom)
    throw new LogFileError(path, 'there is no space left on the device (ENOSPC)');
}

/**
 * Opens for appending what is, or becomes, a regular file of ours that nobody else has a name for: the folder may be one
 * that everybody writes in, and we are root.
 */
function openLog(path: string, { makeFolder }: LogFileOptions): number {
  if (makeFolder) attempt(path, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }));
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
  const fd = attempt(path, () => openSync(path, flags, 0o600));
  const complaint = complaintAbout(fstatSync(fd));
  if (complaint === undefined) return fd;
  closeSync(fd);
  throw new LogFileError(path, complaint);
}

function complaintAbout(stats: Stats): string | undefined {
  if (!stats.isFile()) return `it is ${kindOf(stats)}`;
  if (stats.uid !== process.geteuid?.())
    return `it belongs to user ${stats.uid}; remove it or name another file`;
  return stats.nlink > 1 ? 'it has a second name (hard link); remove it or name another file' : undefined;
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link, which is not followed';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  return 'no regular file';
}

function isStillAt(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(fd);
  return named?.ino === open.ino && named.dev === open.dev;
}

/** A file with nothing in it is never too full, however long the record is. */
function isDue(fd: number, length: number, { maxSize, maxFiles }: Rotation): boolean {
  const { size } = fstatSync(fd);
  return maxFiles > 1 && size > 0 && size + length > maxSize;
}

/** From the oldest on: wherever this is cut short, no record is gone but the oldest. */
function rotate(path: string, maxFiles: number): void {
  for (let index = maxFiles - 2; index >= 1; index -= 1) {
    const older = `${path}.${index}`;
    if (lstatSync(older, { throwIfNoEntry: false })) renameSync(older, `${path}.${index + 1}`);
  }
  renameSync(path, `${path}.1`);
}

function complaintOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A disk that fills up takes the first bytes: they are taken back, since a reader knows whole records only. */
function writeWhole(fd: number, path: string, bytes: Buffer): void {
  const { size } = fstatSync(fd);
  const written = attempt(path, () => writeSync(fd, bytes));
  if (written === bytes.length) return;
  attempt(path, () => ftruncateSync(fd, size));
  throw new LogFileError(path, `there is no space left on the device (ENOSPC) for ${bytes.length} bytes`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is no folder',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a symbolic link, which is not followed',
  ENXIO: 'it is a named pipe or a socket',
  EACCES: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left on the device',
  EDQUOT: 'the disk quota is used up',
};

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code = 'unknown', message } = error as NodeJS.ErrnoException;
    const reason = reasons[code];
    throw new LogFileError(path, reason === undefined ? message : `${reason} (${code})`, error);
  }
}

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { lockFile } from '../kernel/file-lock.ts';
import { loadLibc } from '../kernel/libc.ts';
import { withSystemError } from '../kernel/system-error.ts';
import { LogFileError, refuseUnlessOurs } from './log-file-error.ts';
import { rotate } from './log-rotation.ts';

export { LogFileError } from './log-file-error.ts';

export interface LogFileOptions {
  /** Bytes of one file; a record that would go beyond starts a new one. */
  readonly maxSize: number;
  /** How many files are kept, the one written to (`path`) and older ones (`path.1`, `path.2`): 1 or more. */
  readonly maxFiles: number;
  /** Whether missing folders are made, the last one for us alone. */
  readonly makeFolder?: boolean;
  /** How long other processes may keep the file to themselves, in ms. */
  readonly lockTimeoutMs?: number;
}

/**
 * Appends one record in one write, whole or not at all, also among other processes that do and while the file is
 * rotated. A record larger than `maxSize` has a file of its own.
 *
 * Returns undefined, or what is worth telling of a record that was written: that it was without a lock, or that the
 * file could not be rotated. Throws LogFileError when it was not written.
 */
export function appendRecord(
  path: string,
  record: string | Uint8Array,
  options: LogFileOptions,
): string | undefined {
  const bytes = typeof record === 'string' ? Buffer.from(record) : record;
  const { makeFolder = false, lockTimeoutMs = 1000 } = options;
  // Now, because it takes milliseconds that are no waiting; when it fails, to lock will say so.
  problemOf(loadLibc);
  const deadline = performance.now() + lockTimeoutMs;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const mayLock = attempt <= mostAttempts;
      const note = withLogFile(path, makeFolder, (fd) => {
        const prepared = mayLock
          ? prepare(fd, path, bytes.length, options, deadline)
          : 'without a lock: others rotated it all the time';
        if (prepared !== again) write(fd, path, bytes);
        return prepared;
      });
      if (note !== again) return note && `log ${JSON.stringify(path)}: written, but ${note}`;
    }
  } catch (error) {
    throw LogFileError.from(path, error);
  }
}

/**
 * Opens the log as for a record, and so makes it if need be. Throws LogFileError when a record could not be written:
 * for the reasons that `appendRecord` has, or because the disk is as good as full. (A record that is larger than the
 * free space can still fail, and is then taken back.)
 */
export function checkLogFile(
  path: string,
  { makeFolder = false }: Pick<LogFileOptions, 'makeFolder'> = {},
): void {
  try {
    withLogFile(path, makeFolder, () => {
      const { blocks, bfree, bavail, bsize } = withSystemError('statfs', path, () => statfsSync(path));
      // The last few per cent are for root; file systems that cannot tell have 0 blocks in all.
      const free = process.geteuid?.() === 0 ? bfree : bavail;
      if (blocks > 0 && free * bsize < leastRoom) throw noSpace(path, 'is on a full disk');
    });
  } catch (error) {
    throw LogFileError.from(path, error);
  }
}

/** Bytes: two records of an ordinary call. */
const leastRoom = 16 * 1024;

/** The file that was opened is an older one by now. */
const again = Symbol('again');

/** Each of these but the last found that others had rotated the file meanwhile. */
const mostAttempts = 100;

/** Locks the file and rotates it if it must be. Returns what is worth telling, if anything. */
function prepare(
  fd: number,
  path: string,
  length: number,
  { maxSize, maxFiles }: LogFileOptions,
  deadline: number,
): string | typeof again | undefined {
  const timeoutMs = Math.max(0, Math.round(deadline - performance.now()));
  const unlocked = problemOf(() => lockFile(fd, { path, timeoutMs }));
  // No record is lost for the lock; only to rotate without one would be dangerous.
  if (unlocked !== undefined) return `without a lock: ${unlocked}`;
  if (!isStill(path, fd)) return again;
  const { size } = fstatSync(fd);
  if (size === 0 || size + length <= maxSize) return undefined;
  const stuck = problemOf(() => rotate(path, maxFiles));
  return stuck === undefined ? again : `not rotated: ${stuck}`;
}

function problemOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Not so when another process has rotated the file while this one waited for the lock. */
function isStill(path: string, fd: number): boolean {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}

function write(fd: number, path: string, bytes: Uint8Array): void {
  const before = fstatSync(fd).size;
  const written = withSystemError('write', path, () => writeSync(fd, bytes, 0, bytes.length));
  if (written === bytes.length) return;
  // Unless somebody without the lock has written behind it, half a record is taken back.
  if (fstatSync(fd).size === before + written) ftruncateSync(fd, before);
  throw noSpace(path, `has space for ${written} of the ${bytes.length} bytes of a record`);
}

function noSpace(path: string, problem: string): LogFileError {
  return new LogFileError(path, `${problem}: No space left on device (ENOSPC)`, 'free some space', 'ENOSPC');
}

function withLogFile<T>(path: string, makeFolder: boolean, use: (fd: number) => T): T {
  const fd = openLogFile(path, makeFolder);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** node:fs has no name for it, though libuv always sets it. */
const O_CLOEXEC = 0o2000000;

function openLogFile(path: string, makeFolder: boolean): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  // Looked at before it is opened, because to open a device can do something; and once more after, because it counts.
  const found = withSystemError('lstat', path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (found !== undefined) refuseUnlessOurs(path, found);
  else if (makeFolder) makeFolderOf(path);
  const fd = withSystemError('open', path, () => openSync(path, flags, 0o600));
  try {
    refuseUnlessOurs(path, fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  withSystemError('mkdir', folder, () => {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  });
}

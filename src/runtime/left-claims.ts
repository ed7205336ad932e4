import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { withSystemError } from '../kernel/system-error.ts';
import { isStill, type Left, readBegun } from './claim.ts';

/** The claim of a call that was killed, and what it says was begun. */
export interface LeftClaim {
  readonly path: string;
  readonly left: Left;
}

/** Those in a folder that nobody holds, sorted by name; nothing is taken and nothing changed. Throws SystemError. */
export function leftClaims(folder: string): LeftClaim[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const left = leftAt(path);
    return left === undefined ? [] : [{ path, left }];
  });
}

function leftAt(path: string): Left | undefined {
  const fd = withSystemError('open', path, () => unlessMissing(() => openSync(path, LOOK)));
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    // Before the lock is looked at: who holds it removes the file before he lets go.
    const left = readBegun(fd);
    if (left === undefined) return undefined;
    // A shared one for a moment: whoever wants it for himself tries again.
    lockFile(fd, { path, timeoutMs: 0, isShared: true });
    return isStill(path, fd) ? left : undefined;
  } catch (error) {
    if (error instanceof LockTimeoutError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC;

function namesIn(folder: string): string[] {
  return (withSystemError('open', folder, () => unlessMissing(() => readdirSync(folder))) ?? []).sort();
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

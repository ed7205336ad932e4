import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { CniError, ErrorCode } from '../cni/error.ts';
import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { SystemError, withSystemError } from '../kernel/system-error.ts';

/**
 * Takes the lock that the reference takes for each range set, and returns what lets go of it. `ifAbsent` says what to
 * do when there is no such directory: `make` it, or return undefined. Throws code 11 after `timeoutMs`, SystemError
 * when the lock cannot be had at all.
 */
export function lockLeases(
  directory: string,
  { timeoutMs, ifAbsent }: { timeoutMs: number; ifAbsent: 'make' | 'leave' },
): (() => void) | undefined {
  for (;;) {
    const fd = openLock(directory, ifAbsent);
    if (fd === undefined) return undefined;
    try {
      lockFile(fd, { path: lockPath(directory), timeoutMs });
      // Somebody may have removed the whole directory while we waited: this would be a lock of nothing.
      if (fstatSync(fd).nlink > 0) return () => closeSync(fd);
    } catch (error) {
      closeSync(fd);
      if (!(error instanceof LockTimeoutError)) throw error;
      throw new CniError(ErrorCode.tryAgainLater, error.message, { cause: error });
    }
    closeSync(fd);
  }
}

function openLock(directory: string, ifAbsent: 'make' | 'leave'): number | undefined {
  const path = lockPath(directory);
  const open = () =>
    withSystemError('open', path, () => openSync(path, constants.O_RDONLY | constants.O_CREAT, 0o750));
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOENT') throw error;
  }
  if (ifAbsent === 'leave') return undefined;
  withSystemError('mkdir', directory, () => mkdirSync(directory, { recursive: true, mode: 0o755 }));
  return open();
}

function lockPath(directory: string): string {
  return `${directory}/lock`;
}

import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { withSystemError } from './system-error.ts';

export interface WholeFile {
  /**
   * Where it is written before it gets its name: on the same file system. What a killed process has left there is
   * overwritten, so of all who write this file only one may at a time.
   */
  readonly temporary: string;
  readonly mode: number;
}

/**
 * Writes a file that is there whole or not at all, also after a loss of power: whoever reads `path` finds the content of
 * before, or the new one. Throws SystemError, and leaves nothing then.
 */
export function writeWholeFile(
  path: string,
  content: string | Uint8Array,
  { temporary, mode }: WholeFile,
): void {
  withSystemError('unlink', temporary, () => rmSync(temporary, { force: true }));
  const fd = withSystemError('open', temporary, () => openSync(temporary, NEW_FILE, mode));
  try {
    try {
      withSystemError('write', temporary, () => writeAll(fd, content));
      withSystemError('fsync', temporary, () => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
    withSystemError('rename', path, () => renameSync(temporary, path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** At the file's position. A disk that is full takes a part, and asking for the rest gets the error. */
export function writeAll(fd: number, content: string | Uint8Array): void {
  for (let rest = Buffer.from(content); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}

/** Makes what was created, renamed or removed in a folder survive a loss of power. Throws SystemError. */
export function syncFolder(path: string): void {
  const fd = withSystemError('open', path, () => openSync(path, constants.O_RDONLY));
  try {
    withSystemError('fsync', path, () => fsyncSync(fd));
  } finally {
    closeSync(fd);
  }
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_CLOEXEC;

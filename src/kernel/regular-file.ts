import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { SystemError, withSystemError } from './system-error.ts';

/**
 * The text of a file that somebody else writes. Never waits, and never reads on for ever: what is no regular file, or is
 * longer than `limit` bytes, is refused. Throws SystemError, and Error that names the path for these two.
 */
export function readRegularFile(path: string, limit: number): string {
  const fd = withSystemError('open', path, () => openSync(path, OPEN_FLAGS));
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw new SystemError('read', EISDIR, path);
    if (!stats.isFile()) throw new Error(`${path} is no regular file`);
    const chunks: Buffer[] = [];
    // Not by its size: it may grow while it is read.
    for (let length = 0; length <= limit; ) {
      const chunk = Buffer.allocUnsafe(65536);
      const count = withSystemError('read', path, () => readSync(fd, chunk));
      if (count === 0) return Buffer.concat(chunks).toString('utf8');
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    throw new Error(`${path} is longer than ${limit} bytes`);
  } finally {
    closeSync(fd);
  }
}

const EISDIR = 21;
// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
/** Opening a named pipe would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;

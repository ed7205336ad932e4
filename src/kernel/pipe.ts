import { closeSync, constants, openSync } from 'node:fs';
import { pipe2 } from './libc.ts';
import { SystemError, withSystemError } from './system-error.ts';

/** The two ends of a pipe, as descriptors. Whoever opened it closes both. */
export interface Pipe {
  /** Reading from it never waits (EAGAIN). */
  readonly reader: number;
  /** Writing to it waits while the pipe is full. */
  readonly writer: number;
}

/** pipe(7). Throws SystemError and LibraryLoadError. */
export function openPipe(): Pipe {
  const ends = Buffer.alloc(8);
  const answer = pipe2(ends, O_CLOEXEC);
  if (answer < 0) throw new SystemError('pipe2', -answer);
  const [first, writer] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  try {
    // Opened again: O_NONBLOCK of pipe2 would be for both ends, and few programs expect it of their stdout.
    const path = `/proc/self/fd/${first}`;
    return { reader: withSystemError('open', path, () => openSync(path, READER_FLAGS)), writer };
  } catch (error) {
    closeSync(writer);
    throw error;
  } finally {
    closeSync(first);
  }
}

const O_CLOEXEC = 0o2000000;
const READER_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | O_CLOEXEC;

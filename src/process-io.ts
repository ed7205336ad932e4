import { closeSync, constants, fstatSync, openSync, read, readSync, writeSync } from 'node:fs';
import type { Io } from './cni/plugin.ts';

/** This process as the skel sees it. */
export const processIo: Io = {
  environment: process.env,
  clock: { now: () => new Date(), monotonic: () => performance.now() },
  readStdin,
  writeStdout: (text) => writeAll(1, text),
  writeStderr(text) {
    try {
      writeAll(2, text);
    } catch {
      // Nobody listens: there is no place left to say so.
    }
  },
  onSignal(end) {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => end(name));
  },
  async raise(signal) {
    try {
      const { raiseSignal } = await import('./kernel/raise-signal.ts');
      raiseSignal(signal);
    } catch (error) {
      processIo.writeStderr(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  },
};

/** What is there at once, else not synchronous: a signal must be answered while the writer of stdin takes its time. */
async function readStdin(limit: number, signal: AbortSignal): Promise<Buffer> {
  const ready = readReady(limit);
  if (ready.isWhole) return Buffer.concat(ready.chunks);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Bun's process.stdin takes 5 ms to set up; under Node, a read that waits in a thread keeps the process from exiting.
  const source: AsyncIterable<Buffer> = 'bun' in process.versions ? readFile(0) : process.stdin;
  const iterator = source[Symbol.asyncIterator]();
  const { chunks } = ready;
  let length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  while (length <= limit) {
    const { done, value } = await Promise.race([iterator.next(), ended]);
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  return Buffer.concat(chunks);
}

/**
 * Runtimes have written and closed stdin before we look: then no thread has to wait for it, which saves a third of a
 * millisecond. A pipe is opened once more, because whether a read waits is a property of the open file, which we share.
 */
function readReady(limit: number): { chunks: Buffer[]; isWhole: boolean } {
  const chunks: Buffer[] = [];
  let fd = 0;
  try {
    const stats = fstatSync(0);
    if (!stats.isFIFO() && !stats.isFile()) return { chunks, isWhole: false };
    if (stats.isFIFO()) fd = openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK);
    for (let length = 0; length <= limit; ) {
      const chunk = Buffer.allocUnsafe(65536);
      const count = readSync(fd, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return { chunks, isWhole: true };
  } catch {
    // EAGAIN, mostly: the writer takes its time. Whatever else it is, the patient way meets it again, and says so.
    return { chunks, isWhole: false };
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

async function* readFile(fd: number): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = await readChunk(fd, 65536);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

function readChunk(fd: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(size);
  return new Promise((resolve, reject) => {
    const attempt = () => {
      read(fd, buffer, 0, size, null, (error, count) => {
        // Whoever started us may have left stdin non-blocking.
        if (error?.code === 'EAGAIN') setTimeout(attempt, 2);
        else if (error) reject(error);
        else resolve(buffer.subarray(0, count));
      });
    };
    attempt();
  });
}

/** All of it before it returns, also where others have left the file non-blocking. Throws what node:fs does. */
export function writeAll(fd: number, text: string | Uint8Array): void {
  let rest: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

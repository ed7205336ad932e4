import { closeSync } from 'node:fs';
import { openPipe } from '../kernel/pipe.ts';

/**
 * A pipe for the stdout or stderr of a process. Those that node:child_process makes are sockets, which can be written
 * but not opened again: a script's `echo x > /dev/stderr` would fail with ENXIO.
 */
export class OutputPipe {
  /** What the process gets; ours until `closeWriter`. */
  readonly writer: number;
  /** Resolves at the end of what is written, or when `stop` was called. */
  readonly ended: Promise<void>;
  private stopReading: () => void = () => {};

  /** Reads from the next turn on: not where we are now, which may be in another namespace. Throws SystemError. */
  constructor(take: (chunk: Uint8Array) => void) {
    const { reader, writer } = openPipe();
    this.writer = writer;
    const read = 'bun' in process.versions ? readStream : readSocket;
    this.ended = new Promise((resolve) => {
      setImmediate(() => {
        const { ended, stop } = read(reader, take);
        this.stopReading = stop;
        ended.then(resolve);
      });
    });
  }

  closeWriter(): void {
    closeSync(this.writer);
  }

  /** Gives up what may still be written. */
  stop(): void {
    this.stopReading();
  }
}

interface Reading {
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

/** Bun's sockets do not take a descriptor. */
function readStream(fd: number, take: (chunk: Uint8Array) => void): Reading {
  const reader = Bun.file(fd).stream().getReader();
  const readAll = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  };
  const ended = readAll()
    .catch(() => {})
    .then(() => closeSync(fd));
  return { ended, stop: () => void reader.cancel().catch(() => {}) };
}

/** Node's stream of a file would wait in a thread, which nobody could wake. */
function readSocket(fd: number, take: (chunk: Uint8Array) => void): Reading {
  const { Socket }: typeof import('node:net') = require('node:net');
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', take).on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { ended, stop: () => void socket.destroy() };
}

import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';

/** What lies under a name; `content` is equal for what has the same bytes, or points to the same place. */
export interface Lying {
  readonly content: string;
  readonly stats: Stats;
}

/** Links are not followed. Undefined when nothing is there. Throws SystemError. */
export async function look(path: string): Promise<Lying | undefined> {
  const stats = withSystemError('lstat', path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink())
    return { content: contentOfLink(withSystemError('readlink', path, () => readlinkSync(path))), stats };
  if (!stats.isFile()) return { content: stats.isDirectory() ? 'folder' : 'special', stats };
  return { content: await contentOfFile(path), stats };
}

export const contentOfLink = (target: string): string => `link:${target}`;

export function contentOfBytes(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Of a file as long as the executable. Throws SystemError. */
export async function contentOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(path)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/** The same memory again and again. A signal can be answered between two chunks. Throws SystemError. */
export async function* readChunks(path: string): AsyncGenerator<Buffer> {
  const fd = withSystemError('open', path, () => openSync(path, 'r'));
  try {
    const chunk = Buffer.allocUnsafe(chunkSize);
    for (;;) {
      const count = withSystemError('read', path, () => readSync(fd, chunk));
      if (count === 0) return;
      yield chunk.subarray(0, count);
      await new Promise(setImmediate);
    }
  } finally {
    closeSync(fd);
  }
}

const chunkSize = 4 * 1024 * 1024;

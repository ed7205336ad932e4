import { lstatSync } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';

/** Tells a file from every other that has had its name, and from itself before it was written to. */
export interface FileStamp {
  readonly text: string;
  readonly size: number;
  readonly modified: Date;
}

/** Undefined where there is none. Throws SystemError. */
export function fileStamp(path: string): FileStamp | undefined {
  const stats = withSystemError('lstat', path, () =>
    lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  );
  if (stats === undefined) return undefined;
  const { dev, ino, ctimeNs, size, mtime } = stats;
  return { text: `${dev}:${ino}:${ctimeNs}`, size: Number(size), modified: mtime };
}

/** Whether the path still leads to that very file, unchanged. Throws SystemError. */
export function isStillSame(path: string, { text }: FileStamp): boolean {
  return fileStamp(path)?.text === text;
}

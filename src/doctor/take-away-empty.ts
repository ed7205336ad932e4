import { linkSync, readdirSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { withSystemError } from '../kernel/system-error.ts';
import { fileStamp } from './file-stamp.ts';

/**
 * Removes a file of zero bytes; `aside` is another name on its file system. False when somebody had opened it before, and
 * has written into it or is about to: then it has its name again, unless another file has that by then. Throws SystemError.
 */
export function takeAwayEmpty(path: string, aside: string): boolean {
  withSystemError('rename', path, () => renameSync(path, aside));
  const isOpen = isOpenAnywhere(aside);
  const isTaken = !isOpen && fileStamp(aside)?.size === 0;
  // Not by renaming: what somebody has written under the name since then is newer.
  if (!isTaken) withSystemError('link', path, () => unlessThere(() => linkSync(aside, path)));
  withSystemError('unlink', aside, () => rmSync(aside));
  return isTaken;
}

/** By any process: it opens the file first, and then writes. */
function isOpenAnywhere(path: string): boolean {
  const { dev, ino } = statSync(path);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => namesIn(`/proc/${name}/fd`))
    .some((fd) => {
      const stats = statOf(fd);
      return stats?.dev === dev && stats.ino === ino;
    });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    // It has ended: whoever could not look at all of them has been refused before.
    return [];
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}

function unlessThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

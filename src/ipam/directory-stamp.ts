import { statSync, utimesSync } from 'node:fs';

/** A directory and the state that its entries are in: as long as all four are the same, no entry came or went. */
export interface DirectoryStamp {
  readonly device: bigint;
  readonly inode: bigint;
  /** ns since the epoch, both. */
  readonly mtime: bigint;
  readonly ctime: bigint;
}

/** Throws what `stat` throws. */
export function stampOf(directory: string): DirectoryStamp {
  const { dev, ino, mtimeNs, ctimeNs } = statSync(directory, { bigint: true });
  return { device: dev, inode: ino, mtime: mtimeNs, ctime: ctimeNs };
}

export function sameStamp(one: DirectoryStamp, other: DirectoryStamp): boolean {
  const { device, inode, mtime, ctime } = one;
  return device === other.device && inode === other.inode && mtime === other.mtime && ctime === other.ctime;
}

/**
 * Gives the directory a stamp that no later change of its entries, by whomever, leaves as it is; undefined when that
 * cannot be had. For whoever holds the lock and has made all changes of its own.
 *
 * An mtime as the kernel sets it will not do: before Linux 6.13 it is the time of the last clock tick (up to 10 ms
 * ago; on ext3 without large inodes, a second), so that two changes of one tick leave the same mtime and the second one
 * cannot be seen. git, whose index has the same problem, does not trust an entry that is as young as the index itself.
 * Here every entry would be: containers come in bursts, and waiting for a tick costs more than the ADD. So the mtime is
 * set into the past instead: to more than a second ago, with digits below the second that are random.
 * - Whoever changes the directory later sets its mtime to that tick's time, which is later than what is set here, and
 *   so another one. This asks nothing of the clock but that it has not been turned back by just that time, to 100 ns.
 * - Who sets mtime by hand, such as a backup that puts back what it saw, cannot set ctime, which then is that tick's,
 *   while the one kept here is of now, before anyone could see it.
 * - Two stamps of ours, also of processes that do not see each other's index, differ in their random digits.
 */
export function freshStamp(directory: string): DirectoryStamp | undefined {
  try {
    const { atimeMs } = statSync(directory);
    const now = Date.now() / 1000;
    utimesSync(directory, atimeMs / 1000, now - 1 - Math.random());
    const stamp = stampOf(directory);
    // A file system that keeps times its own way has not done as it was told.
    const isPast = stamp.mtime < BigInt(Math.round((now - 0.5) * 1e3)) * 1_000_000n;
    return isPast ? stamp : undefined;
  } catch {
    // Not our directory, or a read-only one.
    return undefined;
  }
}

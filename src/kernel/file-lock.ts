import { fstatSync, readFileSync } from 'node:fs';
import { EAGAIN, EINTR } from './errno.ts';
import { flock } from './libc.ts';
import { SystemError } from './system-error.ts';

export interface LockHolder {
  pid: number;
  /** The command's name, cut to 15 bytes by the kernel; absent when the process has ended meanwhile. */
  command?: string;
}

/** Another process kept the lock: `lock "/var/lib/x/lock": still held by pid 123 (bridge) after 1000 ms`. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';

  constructor(
    readonly path: string,
    readonly timeoutMs: number,
    readonly holders: LockHolder[],
  ) {
    const who = holders.map(describeHolder).join(', ') || 'a process that cannot be seen from here';
    super(`lock ${JSON.stringify(path)}: still held by ${who} after ${timeoutMs} ms`);
  }
}

export interface LockRequest {
  readonly path: string;
  /** 0 tries once. */
  readonly timeoutMs: number;
  /** Then others may have it, too, who want no more than that. */
  readonly isShared?: boolean;
}

/**
 * Takes the flock(2) of an open file, the exclusive one mostly, and waits for it at most `timeoutMs` milliseconds.
 * Closing the file releases it. Throws LockTimeoutError, or SystemError where the file system has no locks.
 */
export function lockFile(fd: number, { path, timeoutMs, isShared = false }: LockRequest): void {
  const deadline = performance.now() + timeoutMs;
  const operation = (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (tryLock(fd, path, operation)) return;
    const remaining = deadline - performance.now();
    if (remaining <= 0) break;
    sleep(Math.min(pause, remaining));
  }
  const holders = lockHolders(fd);
  // No holder: it may have let go just now.
  if (holders.length === 0 && tryLock(fd, path, operation)) return;
  throw new LockTimeoutError(path, timeoutMs, holders);
}

function tryLock(fd: number, path: string, operation: number): boolean {
  const answer = flock(fd, operation);
  if (answer >= 0) return true;
  if (answer === -EAGAIN || answer === -EINTR) return false;
  throw new SystemError('flock', -answer, path);
}

/** include/uapi/asm-generic/fcntl.h */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

// A lock is mostly held for about a millisecond, or for as long as another command runs.
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Who has the lock of an open file; nobody where that cannot be seen from here. Read from /proc/locks, whose lines are
 * `1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF` with a hexadecimal device (fs/locks.c, lock_get_status);
 * those who wait are marked `->`.
 */
export function lockHolders(fd: number): LockHolder[] {
  try {
    const inode = fstatSync(fd).ino;
    const file = `${deviceOf(fd)}:${inode}`;
    const pids = readFileSync('/proc/locks', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, kind, , , , locked]) => kind === 'FLOCK' && locked === file)
      .map(([, , , , pid]) => Number(pid));
    return pids.map(holder);
  } catch {
    // Without /proc the wait still ends, only less well explained.
    return [];
  }
}

/**
 * The device of the file's superblock, as /proc/locks prints it: `fe:00`. It is read from the mount, because st_dev
 * is another one on btrfs and overlayfs.
 */
function deviceOf(fd: number): string {
  const mountId = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const [id, , device = ''] = line.split(' ');
    if (id === mountId) return device.split(':').map(hexadecimal).join(':');
  }
  throw new Error(`mount ${mountId} is not in /proc/self/mountinfo`);
}

const hexadecimal = (decimal: string): string => Number(decimal).toString(16).padStart(2, '0');

function holder(pid: number): LockHolder {
  try {
    return { pid, command: readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd() };
  } catch {
    return { pid };
  }
}

/** The kernel names the process that took the lock; a child that inherited the open file keeps it beyond its end. */
export const describeHolder = ({ pid, command }: LockHolder): string =>
  `pid ${pid} (${command ?? 'ended; a child of it may hold it'})`;

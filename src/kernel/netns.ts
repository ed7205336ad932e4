import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { ioctl, setns, unshare } from './libc.ts';
import { SystemError, withSystemError } from './system-error.ts';

/** An open network namespace. It lives for as long as it is open, even when the last process in it has ended. */
export interface Namespace {
  readonly path: string;
  readonly fd: number;
  /** `device:inode`, the same for every path and descriptor of one namespace. */
  readonly id: string;
  /** May be called twice. */
  close(): void;
}

/** The path exists but is no network namespace: `"/run/netns/x" is a directory, not a network namespace`. */
export class NotNetworkNamespaceError extends Error {
  override readonly name = 'NotNetworkNamespaceError';

  constructor(
    readonly path: string,
    /** What it is instead: `regular file`, `directory`, `mnt namespace`. */
    readonly found: string,
    hint = '',
  ) {
    const article = found.startsWith('i') ? 'an' : 'a';
    super(`${JSON.stringify(path)} is ${article} ${found}, not a network namespace${hint}`);
  }
}

/**
 * The way back out of a namespace failed: this thread, and what it opens or starts from now on, is in the wrong one.
 * Whoever catches this reports it and ends the process, without undoing anything.
 */
export class NamespaceLostError extends Error {
  override readonly name = 'NamespaceLostError';
}

/** Opens a network namespace. Throws NotNetworkNamespaceError, or SystemError (ENOENT when the path is missing). */
export function openNamespace(path: string): Namespace {
  // Looked at before it is opened: opening a device may do things, and opening a pipe waits for a writer.
  refuseUnlessFile(
    path,
    withSystemError('stat', path, () => statSync(path)),
  );
  const fd = withSystemError('open', path, () => openSync(path, OPEN_FLAGS));
  try {
    const stats = fstatSync(fd);
    refuseUnlessFile(path, stats);
    refuseUnlessNetwork(path, fd);
    return namespace(path, fd, stats);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The namespace that this thread is in. */
export function currentNamespace(): Namespace {
  return openNamespace(CURRENT);
}

/**
 * Runs a function inside a namespace. It must be synchronous: what follows an await would run outside, or the rest
 * of the process inside. Threads that are first started by it stay inside for ever. Throws SystemError when the
 * namespace cannot be entered, what the function throws, and NamespaceLostError.
 */
export function runIn<T>(target: Namespace, run: () => NotPromise<T>): T {
  return thereAndBack(() => setns(target.fd, CLONE_NEWNET), 'setns', target.path, run);
}

/** Runs a function inside a new namespace, which goes away afterwards unless the function opened or mounted it. */
export function runInNew<T>(run: () => NotPromise<T>): T {
  return thereAndBack(() => unshare(CLONE_NEWNET), 'unshare', undefined, run);
}

/** Moves this thread, and what it opens and starts from now on, for the rest of the process. Throws SystemError. */
export function enterNamespace(target: Namespace): void {
  const answer = setns(target.fd, CLONE_NEWNET);
  if (answer < 0) throw new SystemError('setns', -answer, target.path);
}

/** The namespace that this thread is in; /proc/self would be the main thread's. */
export const CURRENT = '/proc/thread-self/ns/net';

type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;

function thereAndBack<T>(
  leave: () => number,
  call: string,
  target: string | undefined,
  run: () => NotPromise<T>,
): T {
  const home = currentNamespace();
  try {
    const left = leave();
    if (left < 0) throw new SystemError(call, -left, target);
    const outcome = attempt(run);
    const returned = setns(home.fd, CLONE_NEWNET);
    if (returned < 0) throw lost(-returned, outcome);
    if ('error' in outcome) throw outcome.error;
    if (isPromise(outcome.result)) throw new TypeError('what runs in a namespace must not return a promise');
    return outcome.result;
  } finally {
    home.close();
  }
}

type Outcome<T> = { result: T } | { error: unknown };

function attempt<T>(run: () => T): Outcome<T> {
  try {
    return { result: run() };
  } catch (error) {
    return { error };
  }
}

function lost(errno: number, outcome: Outcome<unknown>): NamespaceLostError {
  const { message } = new SystemError('setns', errno, CURRENT);
  const cause = 'error' in outcome ? { cause: outcome.error } : {};
  return new NamespaceLostError(`cannot return to the network namespace of this process: ${message}`, cause);
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function namespace(path: string, fd: number, stats: Stats): Namespace {
  let isOpen = true;
  return {
    path,
    fd,
    id: `${stats.dev}:${stats.ino}`,
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;

/** include/uapi/linux/sched.h, which is also what NS_GET_NSTYPE answers. */
const CLONE_NEWNET = 0x4000_0000;
const NAMESPACE_TYPES: Record<number, string> = {
  128: 'time',
  131072: 'mnt',
  33554432: 'cgroup',
  67108864: 'uts',
  134217728: 'ipc',
  268435456: 'user',
  536870912: 'pid',
};

/** include/uapi/linux/nsfs.h: _IO(0xb7, 0x3) */
const NS_GET_NSTYPE = 0xb703;

/** The files of nsfs are regular files to stat(2). */
function refuseUnlessFile(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? 'directory'
    : stats.isFIFO()
      ? 'named pipe'
      : stats.isSocket()
        ? 'socket'
        : 'device';
  throw new NotNetworkNamespaceError(path, kind);
}

function refuseUnlessNetwork(path: string, fd: number): void {
  const type = ioctl(fd, NS_GET_NSTYPE);
  if (type === CLONE_NEWNET) return;
  if (type >= 0) throw new NotNetworkNamespaceError(path, `${NAMESPACE_TYPES[type] ?? 'strange'} namespace`);
  throw new NotNetworkNamespaceError(path, 'regular file', '; the namespace mounted there may be gone');
}

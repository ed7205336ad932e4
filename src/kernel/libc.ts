import { lstatSync, type Stats } from 'node:fs';

/** The shared library that makes system calls possible is missing or unfit; nothing in src/kernel works then. */
export class LibraryLoadError extends Error {
  override readonly name = 'LibraryLoadError';

  constructor(reasons: string[], options?: ErrorOptions) {
    super(`koffi.node could not be loaded: ${reasons.join('; ')}`, options);
  }
}

// Each function answers as the system call itself does: zero or more, or the negative error number. koffi.errno() is
// read right after the call, before anything else of this thread can run. Structures are little-endian and of
// 64 bits: every machine that Bun and Koffi's Linux builds for servers run on.

/** socket(2) */
export const socket = (domain: number, type: number, protocol: number): number =>
  call('socket', domain, type, protocol);

/** bind(2); `address` is a struct sockaddr. */
export const bind = (fd: number, address: Buffer): number => call('bind', fd, address, address.length);

/** getsockname(2); fills `address`, a struct sockaddr. */
export const getsockname = (fd: number, address: Buffer): number =>
  call('getsockname', fd, address, lengthOf(address));

/** setsockopt(2) */
export const setsockopt = (fd: number, level: number, option: number, value: Buffer): number =>
  call('setsockopt', fd, level, option, value, value.length);

/** getsockopt(2); fills `value`. */
export const getsockopt = (fd: number, level: number, option: number, value: Buffer): number =>
  call('getsockopt', fd, level, option, value, lengthOf(value));

/** send(2); answers the number of bytes taken. */
export const send = (fd: number, data: Buffer, flags: number): number =>
  call('send', fd, data, data.length, flags);

/** sendto(2); `address` is a struct sockaddr; answers the number of bytes taken. */
export const sendto = (fd: number, data: Buffer, flags: number, address: Buffer): number =>
  call('sendto', fd, data, data.length, flags, address, address.length);

/** connect(2); `address` is a struct sockaddr. */
export const connect = (fd: number, address: Buffer): number => call('connect', fd, address, address.length);

/** recvfrom(2); fills `buffer` and `address`, a struct sockaddr; answers the number of bytes. */
export const recvfrom = (fd: number, buffer: Buffer, flags: number, address: Buffer): number =>
  call('recvfrom', fd, buffer, buffer.length, flags, address, lengthOf(address));

/** setns(2): moves the calling thread, and no other. */
export const setns = (fd: number, type: number): number => call('setns', fd, type);

/** unshare(2): moves the calling thread, and no other. */
export const unshare = (flags: number): number => call('unshare', flags);

/** mount(2), without the data of a file system. */
export const mount = (source: string, target: string, type: string, flags: number): number =>
  call('mount', source, target, type, flags, null);

/** umount2(2) */
export const umount2 = (target: string, flags: number): number => call('umount2', target, flags);

/** flock(2) */
export const flock = (fd: number, operation: number): number => call('flock', fd, operation);

/** pipe2(2); fills `ends`, an int[2]: the end to read from, and the one to write to. */
export const pipe2 = (ends: Buffer, flags: number): number => call('pipe2', ends, flags);

/** ioctl(2), for requests that take no argument. */
export const ioctl = (fd: number, request: number): number => call('ioctl', fd, request);

/** Loads the library now, to have its error before anything was begun. Throws LibraryLoadError. */
export function loadLibc(): void {
  library();
}

const PROTOTYPES = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, void *, uint)',
  getsockname: 'int getsockname(int, void *, void *)',
  setsockopt: 'int setsockopt(int, int, int, void *, uint)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  send: 'long send(int, void *, size_t, int)',
  sendto: 'long sendto(int, void *, size_t, int, void *, uint)',
  connect: 'int connect(int, void *, uint)',
  recvfrom: 'long recvfrom(int, void *, size_t, int, void *, void *)',
  setns: 'int setns(int, int)',
  unshare: 'int unshare(int)',
  mount: 'int mount(str, str, str, ulong, void *)',
  umount2: 'int umount2(str, int)',
  flock: 'int flock(int, int)',
  pipe2: 'int pipe2(void *, int)',
  ioctl: 'int ioctl(int, ulong, ...)',
};

type Koffi = Pick<typeof import('koffi'), 'load' | 'errno'>;
type Name = keyof typeof PROTOTYPES;
type LibcFunction = (...args: (number | string | Buffer | null)[]) => number;

interface Library {
  errno: () => number;
  /** Takes 10 µs, so each function is declared when it is first called. */
  declare: (name: Name) => LibcFunction;
}

const declared: Partial<Record<Name, LibcFunction>> = {};
let loaded: Library | LibraryLoadError | undefined;

function call(name: Name, ...args: Parameters<LibcFunction>): number {
  const { errno, declare } = library();
  declared[name] ??= declare(name);
  const answer = declared[name](...args);
  return answer < 0 ? -errno() : answer;
}

function library(): Library {
  loaded ??= open();
  if (loaded instanceof LibraryLoadError) throw loaded;
  return loaded;
}

function open(): Library | LibraryLoadError {
  const koffi = load();
  if (koffi instanceof LibraryLoadError) return koffi;
  // null stands for the libc that the executable itself is linked with, whatever its file is called.
  const libc = koffi.load(null);
  return { errno: () => koffi.errno(), declare: (name) => libc.func(PROTOTYPES[name]) };
}

/** A struct sockaddr's length, as the calls that fill one read and write it. */
function lengthOf(address: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  return length;
}

/**
 * The copy beside the executable comes first: the one inside a compiled executable is unpacked to the temporary
 * directory, which may be missing, read-only or mounted noexec.
 */
function load(): Koffi | LibraryLoadError {
  const reasons: string[] = [];
  for (const attempt of [loadBesideExecutable, loadBundled]) {
    try {
      return attempt();
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  return new LibraryLoadError(reasons);
}

function loadBesideExecutable(): Koffi {
  const folder = process.execPath.slice(0, process.execPath.lastIndexOf('/')) || '/';
  const path = `${folder}/koffi.node`;
  refuseUnlessTrusted(path, lstatSync(path), 'isFile');
  refuseUnlessTrusted(folder, lstatSync(folder), 'isDirectory');
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Koffi;
}

/** esbuild makes this the `.node` file that it copies beside the bundle, and bun embeds that in the executable. */
function loadBundled(): Koffi {
  return require('koffi');
}

/** What another user could have put there is not loaded: it would run as root. */
function refuseUnlessTrusted(path: string, stats: Stats, kind: 'isFile' | 'isDirectory'): void {
  if (!stats[kind]()) throw new Error(`"${path}" is a link, or no ${kind === 'isFile' ? 'file' : 'folder'}`);
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.())
    throw new Error(`"${path}" has owner ${stats.uid}`);
  if ((stats.mode & 0o022) !== 0) throw new Error(`"${path}" is writable by its group or by others`);
}

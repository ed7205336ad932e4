import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { withSystemError } from './system-error.ts';

/**
 * Reads a kernel setting of the network namespace that this thread is in, without the newline. The path has slashes,
 * for interface names may have dots: `net/ipv4/conf/eth0.100/arp_notify`. Throws SystemError: ENOENT when the kernel
 * has no such setting or link, as without IPv6.
 */
export function readSysctl(path: string): string {
  const file = fileOf(path);
  return withFile(file, constants.O_RDONLY, (fd) => read(file, fd));
}

/**
 * Writes a kernel setting, unless it has that value already: /proc/sys may be read-only in a container. Answers
 * whether it was written. Throws SystemError: ENOENT as readSysctl does, EINVAL for a value that the setting cannot
 * have, EROFS, EACCES and EPERM.
 */
export function writeSysctl(path: string, value: string): boolean {
  const file = fileOf(path);
  if (readSysctl(path) === value) return false;
  withFile(file, constants.O_WRONLY, (fd) => withSystemError('write', file, () => writeSync(fd, value)));
  return true;
}

/** What the longest settings of a network namespace take, `net/ipv4/ip_local_reserved_ports` apart. */
const READ_BYTES = 4096;

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;

/** Not below another folder by way of a name from outside: `..` is no interface. */
function fileOf(path: string): string {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw new RangeError(`${JSON.stringify(path)} is no path of a kernel setting`);
  }
  return `/proc/sys/${path}`;
}

function withFile<T>(file: string, flags: number, use: (fd: number) => T): T {
  const fd = withSystemError('open', file, () => openSync(file, flags | O_CLOEXEC));
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function read(file: string, fd: number): string {
  const bytes = Buffer.alloc(READ_BYTES);
  const length = withSystemError('read', file, () => readSync(fd, bytes, 0, bytes.length, 0));
  return bytes.toString('utf8', 0, length).trimEnd();
}

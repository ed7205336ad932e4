import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { formatIp, type Ip, parseIp } from '../cni/address.ts';
import { withSystemError } from '../kernel/system-error.ts';

/**
 * The files of a network's directory, in the format of the reference: one for each address in use, named after it, and
 * `last_reserved_ip.<N>` for each range set. Nothing here takes the lock. Everything throws SystemError.
 */
export class LeaseFiles {
  private readonly buffer = Buffer.allocUnsafe(4096);

  constructor(readonly directory: string) {}

  pathOf(ip: Ip): string {
    return `${this.directory}/${formatIp(ip)}`;
  }

  /** Whether there is a directory at all. */
  exists(): boolean {
    return existsSync(this.directory);
  }

  /** What the address's file says, without white space around it; undefined when there is none. */
  read(ip: Ip): string | undefined {
    return this.readText(this.pathOf(ip));
  }

  /** Makes the address's file, whole or not at all; false when there is something of that name. */
  create(ip: Ip, owner: string): boolean {
    const path = this.pathOf(ip);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    const fd = withSystemError('open', path, () =>
      unless(['EEXIST'], undefined, () => openSync(path, flags, 0o600)),
    );
    if (fd === undefined) return false;
    try {
      withSystemError('write', path, () => writeAll(fd, Buffer.from(owner)));
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    return true;
  }

  /** False when there was none. */
  remove(ip: Ip): boolean {
    const path = this.pathOf(ip);
    return withSystemError('unlink', path, () =>
      unless(['ENOENT'], false, () => {
        unlinkSync(path);
        return true;
      }),
    );
  }

  /** The addresses that have a file; none when there is no directory. `lock` and the like are no addresses. */
  addresses(): Ip[] {
    const names = withSystemError('open', this.directory, () =>
      unless(['ENOENT'], [], () => readdirSync(this.directory)),
    );
    const found: Ip[] = [];
    for (const name of names) {
      const ip = parseIp(name);
      // In another spelling it does not keep the address from being taken.
      if (ip !== undefined && formatIp(ip) === name) found.push(ip);
    }
    return found;
  }

  /** The address that was last taken from a set, where the search begins; undefined when that is not known. */
  lastReserved(set: number): Ip | undefined {
    return parseIp(this.readText(this.lastReservedPath(set)) ?? '');
  }

  setLastReserved(set: number, ip: Ip): void {
    const path = this.lastReservedPath(set);
    withSystemError('write', path, () => writeFileSync(path, formatIp(ip), { mode: 0o600 }));
  }

  /** Not `readFileSync`, which asks for the size, and for a buffer of its own, before it reads. */
  private readText(path: string): string | undefined {
    return withSystemError('read', path, () =>
      // A directory of that name is nobody's lease, and in the way of whoever wants the address.
      unless(['ENOENT', 'EISDIR'], undefined, () => {
        const fd = openSync(path, constants.O_RDONLY);
        try {
          const length = readSync(fd, this.buffer, 0, this.buffer.length, 0);
          return this.buffer.toString('utf8', 0, length).trim();
        } finally {
          closeSync(fd);
        }
      }),
    );
  }

  private lastReservedPath(set: number): string {
    return `${this.directory}/last_reserved_ip.${set}`;
  }
}

/** In one write; of a disk that is full it takes a part, and asking for the rest gets the error. */
function writeAll(fd: number, text: Buffer): void {
  const written = writeSync(fd, text);
  if (written < text.length) writeSync(fd, text, written);
}

/** What `run` returns, or `otherwise` when it fails with one of the codes. */
function unless<T, A>(codes: readonly string[], otherwise: A, run: () => T): T | A {
  try {
    return run();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return otherwise;
    throw error;
  }
}

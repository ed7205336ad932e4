import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { type DirectoryStamp, sameStamp } from './directory-stamp.ts';
import { mix, type Slot, slotSize } from './slot.ts';
import { CorruptTableError, type Slots } from './slot-table.ts';

const magic = 'cnilease';
const version = 1;

/**
 *     0 magic    8 version    12 count of slots    16 device    24 inode    32 mtime    40 ctime
 *     48 boot ID    64 slots that are not empty    68 checksum of all before
 */
const headerSize = 72;

/** One for each directory, whatever path it is reached by. */
export function indexPath(folder: string, { device, inode }: DirectoryStamp): string {
  return `${folder}/${device}-${inode}.index`;
}

/** The slots of an index on disk, each read and written where it is. */
export class FileSlots implements Slots {
  private constructor(
    private readonly fd: number,
    private readonly boot: Buffer,
    readonly count: number,
    /** How many were not empty when this was opened. */
    readonly used: number,
  ) {}

  /** Undefined when the file was not written for this stamp, or not since the machine started. Throws as node:fs. */
  static open(path: string, stamp: DirectoryStamp): FileSlots | undefined {
    const boot = bootId();
    const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    let slots: FileSlots | undefined;
    try {
      const header = readHeader(fd);
      if (header?.boot.equals(boot) && sameStamp(header.stamp, stamp))
        slots = new FileSlots(fd, boot, header.count, header.used);
    } finally {
      if (slots === undefined) closeSync(fd);
    }
    return slots;
  }

  read(index: number): Slot {
    const slot = Buffer.allocUnsafe(slotSize);
    const length = readSync(this.fd, slot, 0, slotSize, headerSize + index * slotSize);
    if (length !== slotSize) throw new CorruptTableError(`slot ${index} is not there`);
    return slot;
  }

  write(index: number, slot: Slot): void {
    writeSync(this.fd, slot, 0, slotSize, headerSize + index * slotSize);
  }

  /** From now on the slots are those of a directory with this stamp. */
  save(stamp: DirectoryStamp, used: number): void {
    writeSync(this.fd, headerOf({ stamp, used, boot: this.boot, count: this.count }), 0, headerSize, 0);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** The slots of a table that is new; a file when it is saved. */
export class MemorySlots implements Slots {
  readonly count: number;
  readonly used = 0;
  private readonly bytes: Buffer;

  /** With room for so many leases and three times as many to come. */
  constructor(leases: number) {
    this.count = 2 ** Math.max(8, Math.ceil(Math.log2(leases * 4)));
    this.bytes = Buffer.alloc(headerSize + this.count * slotSize);
  }

  read(index: number): Slot {
    const start = headerSize + index * slotSize;
    return this.bytes.subarray(start, start + slotSize);
  }

  write(index: number, slot: Slot): void {
    slot.copy(this.bytes, headerSize + index * slotSize);
  }

  /** Replaces the file whole. Throws as node:fs. */
  save(stamp: DirectoryStamp, used: number, path: string): void {
    headerOf({ stamp, used, boot: bootId(), count: this.count }).copy(this.bytes);
    const folder = path.slice(0, path.lastIndexOf('/'));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Whoever holds the lock is alone, and what one that was killed has left is overwritten.
    const temporary = `${path}.new`;
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      if (writeSync(fd, this.bytes) !== this.bytes.length) throw new Error(`${temporary}: no room`);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  close(): void {}
}

interface Header {
  readonly stamp: DirectoryStamp;
  readonly boot: Buffer;
  readonly count: number;
  readonly used: number;
}

function headerOf({ stamp, boot, count, used }: Header): Buffer {
  const header = Buffer.alloc(headerSize);
  header.write(magic, 'latin1');
  header.writeUInt32LE(version, 8);
  header.writeUInt32LE(count, 12);
  header.writeBigUInt64LE(stamp.device, 16);
  header.writeBigUInt64LE(stamp.inode, 24);
  header.writeBigInt64LE(stamp.mtime, 32);
  header.writeBigInt64LE(stamp.ctime, 40);
  boot.copy(header, 48);
  header.writeUInt32LE(used, 64);
  header.writeUInt32LE(checksum(header), 68);
  return header;
}

/** Undefined when it is none of ours, or the file is not as long as it says. */
function readHeader(fd: number): Header | undefined {
  const header = Buffer.alloc(headerSize);
  const isWhole = readSync(fd, header, 0, headerSize, 0) === headerSize;
  if (!isWhole || header.toString('latin1', 0, 8) !== magic || header.readUInt32LE(8) !== version)
    return undefined;
  if (header.readUInt32LE(68) !== checksum(header)) return undefined;
  const count = header.readUInt32LE(12);
  if (fstatSync(fd).size !== headerSize + count * slotSize) return undefined;
  const stamp = {
    device: header.readBigUInt64LE(16),
    inode: header.readBigUInt64LE(24),
    mtime: header.readBigInt64LE(32),
    ctime: header.readBigInt64LE(40),
  };
  return { stamp, boot: header.subarray(48, 64), count, used: header.readUInt32LE(64) };
}

function checksum(header: Buffer): number {
  return mix(header.subarray(0, 68), 0x811c9dc5);
}

/**
 * 16 bytes that another start of the machine has others of: where /run is on a disk, a loss of power may keep the
 * header of an index and lose its slots.
 */
function bootId(): Buffer {
  if (boot !== undefined) return boot;
  const fd = openSync('/proc/sys/kernel/random/boot_id', constants.O_RDONLY);
  const text = Buffer.alloc(36);
  readSync(fd, text, 0, text.length, 0);
  closeSync(fd);
  boot = Buffer.from(text.toString('latin1').replaceAll('-', ''), 'hex');
  return boot;
}

let boot: Buffer | undefined;

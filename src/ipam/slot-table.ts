import type { Ip } from '../cni/address.ts';
import { type Bits, blockOf, isVoid, noBits, withBit } from './block.ts';
import {
  blockSlot,
  deletedSlot,
  emptySlot,
  homeOfBlock,
  homeOfOwner,
  ipIn,
  isAbout,
  isOwner,
  isSound,
  ownerSlot,
  type Slot,
  SlotKind,
  valueIn,
} from './slot.ts';

/** Where the slots are: in a file, or in memory as long as the table is new. */
export interface Slots {
  /** A power of two. */
  readonly count: number;
  read(index: number): Slot;
  write(index: number, slot: Slot): void;
}

/** What no table of ours looks like: whoever has it makes a new one. */
export class CorruptTableError extends Error {
  override readonly name = 'CorruptTableError';
}

/** A lease as the table has it. */
export interface Entry {
  readonly ip: Ip;
  readonly hash: Uint8Array;
}

/** An open-addressing hash table of leases: each question costs one or two reads of one slot. */
export class SlotTable {
  constructor(
    private readonly slots: Slots,
    /** How many slots are not empty. */
    public used: number,
  ) {}

  /** So full that searches get long. */
  get isCrowded(): boolean {
    return this.used * 10 > this.slots.count * 7;
  }

  /** The addresses of the owners with this hash. */
  addressesOf(hash: Uint8Array): Ip[] {
    const found: Ip[] = [];
    this.search(homeOfOwner(hash), (slot) => {
      if (isOwner(slot, hash)) found.push(ipIn(slot));
      return false;
    });
    return found;
  }

  /** Which of the 64 addresses around this one are leased. */
  bitsAround(ip: Ip): Bits {
    const index = this.findBlock(blockOf(ip));
    return index === undefined ? noBits : valueIn(this.slots.read(index));
  }

  add({ ip, hash }: Entry): void {
    this.put(homeOfOwner(hash), ownerSlot(hash, ip));
    this.setBits(blockOf(ip), withBit(this.bitsAround(ip), ip, true));
  }

  /** Into a table without blocks as yet: a block is written once, and not once for each of its addresses. */
  addAll(entries: readonly Entry[]): void {
    const blocks = new Map<string, { first: Ip; bits: Bits }>();
    for (const { ip, hash } of entries) {
      this.put(homeOfOwner(hash), ownerSlot(hash, ip));
      const first = blockOf(ip);
      const key = first.join();
      blocks.set(key, { first, bits: withBit(blocks.get(key)?.bits ?? noBits, ip, true) });
    }
    for (const { first, bits } of blocks.values()) this.put(homeOfBlock(first), blockSlot(first, bits));
  }

  remove({ ip, hash }: Entry): void {
    const index = this.search(homeOfOwner(hash), (slot) => isOwner(slot, hash) && isAbout(slot, ip));
    if (index !== undefined) this.clear(index);
    this.setBits(blockOf(ip), withBit(this.bitsAround(ip), ip, false));
  }

  entries(): Entry[] {
    const found: Entry[] = [];
    for (let index = 0; index < this.slots.count; index += 1) {
      const slot = this.readSound(index);
      if (slot[0] === SlotKind.owner) found.push({ ip: ipIn(slot), hash: valueIn(slot) });
    }
    return found;
  }

  private setBits(first: Ip, bits: Bits): void {
    const index = this.findBlock(first);
    if (index === undefined) {
      if (!isVoid(bits)) this.put(homeOfBlock(first), blockSlot(first, bits));
    } else if (isVoid(bits)) this.clear(index);
    else this.slots.write(index, blockSlot(first, bits));
  }

  private findBlock(first: Ip): number | undefined {
    return this.search(homeOfBlock(first), (slot) => slot[0] === SlotKind.block && isAbout(slot, first));
  }

  private put(home: number, slot: Slot): void {
    const mask = this.slots.count - 1;
    for (let step = 0; step <= mask; step += 1) {
      const index = (home + step) & mask;
      const kind = this.readSound(index)[0];
      if (kind !== SlotKind.empty && kind !== SlotKind.deleted) continue;
      if (kind === SlotKind.empty) this.used += 1;
      this.slots.write(index, slot);
      return;
    }
    throw new CorruptTableError('no slot is free');
  }

  /** A deleted slot keeps what was put behind it within reach; with nothing behind it, it is as good as empty. */
  private clear(index: number): void {
    const isLast = this.readSound((index + 1) & (this.slots.count - 1))[0] === SlotKind.empty;
    if (isLast) this.used -= 1;
    this.slots.write(index, isLast ? emptySlot() : deletedSlot());
  }

  /** The first slot from `home` on, and before an empty one, that is the one looked for. */
  private search(home: number, isIt: (slot: Slot) => boolean): number | undefined {
    const mask = this.slots.count - 1;
    for (let step = 0; step <= mask; step += 1) {
      const index = (home + step) & mask;
      const slot = this.readSound(index);
      if (slot[0] === SlotKind.empty) return undefined;
      if (isIt(slot)) return index;
    }
    return undefined;
  }

  private readSound(index: number): Slot {
    const slot = this.slots.read(index);
    if (!isSound(slot)) throw new CorruptTableError(`slot ${index}`);
    return slot;
  }
}

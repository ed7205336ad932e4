import type { Ip } from '../cni/address.ts';
import {
  bitsIn,
  blockOf,
  blockSlot,
  deletedSlot,
  emptySlot,
  hashIn,
  homeOfBlock,
  homeOfOwner,
  ipIn,
  isSound,
  ownerSlot,
  placeOf,
  type Slot,
  SlotKind,
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

interface Place {
  readonly index: number;
  readonly slot: Slot;
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
  addressesOf(hash: Buffer): Ip[] {
    return [...this.probe(homeOfOwner(hash))]
      .filter(({ slot }) => isOf(slot, hash))
      .map(({ slot }) => ipIn(slot));
  }

  /** Which of the 64 addresses around this one are leased; the first one's bit is the lowest. */
  block(ip: Ip): bigint {
    const found = this.findBlock(blockOf(ip));
    return found === undefined ? 0n : bitsIn(found.slot);
  }

  add(ip: Ip, hash: Buffer): void {
    this.put(homeOfOwner(hash), ownerSlot(hash, ip));
    this.setBit(ip, true);
  }

  remove(ip: Ip, hash: Buffer): void {
    for (const { index, slot } of this.probe(homeOfOwner(hash))) {
      if (!isOf(slot, hash) || Buffer.compare(ipIn(slot), ip) !== 0) continue;
      this.clear(index);
      break;
    }
    this.setBit(ip, false);
  }

  /** Every lease. */
  *leases(): Generator<{ ip: Ip; hash: Buffer }> {
    for (let index = 0; index < this.slots.count; index += 1) {
      const slot = this.slots.read(index);
      if (!isSound(slot)) throw new CorruptTableError(`slot ${index}`);
      if (slot[0] === SlotKind.owner) yield { ip: ipIn(slot), hash: hashIn(slot) };
    }
  }

  private setBit(ip: Ip, leased: boolean): void {
    const first = blockOf(ip);
    const found = this.findBlock(first);
    const bit = 1n << BigInt(placeOf(ip));
    const bits = found === undefined ? 0n : bitsIn(found.slot);
    const changed = leased ? bits | bit : bits & ~bit;
    if (found === undefined) {
      if (leased) this.put(homeOfBlock(first), blockSlot(first, changed));
    } else if (changed === 0n) this.clear(found.index);
    else this.slots.write(found.index, blockSlot(first, changed));
  }

  private findBlock(first: Ip): Place | undefined {
    for (const place of this.probe(homeOfBlock(first))) {
      const { slot } = place;
      if (slot[0] === SlotKind.block && Buffer.compare(ipIn(slot), first) === 0) return place;
    }
    return undefined;
  }

  private put(home: number, slot: Slot): void {
    for (const { index, slot: found } of this.probe(home, 'with the first empty one')) {
      if (found[0] !== SlotKind.empty && found[0] !== SlotKind.deleted) continue;
      if (found[0] === SlotKind.empty) this.used += 1;
      this.slots.write(index, slot);
      return;
    }
    throw new CorruptTableError('no slot is free');
  }

  /** A deleted slot keeps what was put behind it within reach; with nothing behind it, it is as good as empty. */
  private clear(index: number): void {
    const next = this.slots.read((index + 1) & (this.slots.count - 1));
    if (next[0] === SlotKind.empty) this.used -= 1;
    this.slots.write(index, next[0] === SlotKind.empty ? emptySlot() : deletedSlot());
  }

  /** The slots from `home` on, up to the first empty one. */
  private *probe(home: number, end?: 'with the first empty one'): Generator<Place> {
    const mask = this.slots.count - 1;
    for (let step = 0; step <= mask; step += 1) {
      const index = (home + step) & mask;
      const slot = this.slots.read(index);
      if (!isSound(slot)) throw new CorruptTableError(`slot ${index}`);
      if (slot[0] !== SlotKind.empty) yield { index, slot };
      else {
        if (end !== undefined) yield { index, slot };
        return;
      }
    }
  }
}

function isOf(slot: Slot, hash: Buffer): boolean {
  return slot[0] === SlotKind.owner && hashIn(slot).equals(hash);
}

import { type Ip, sameIp } from '../cni/address.ts';
import { type Bits, blockOf, hasBit, isFull } from './block.ts';
import { freshStamp, stampOf } from './directory-stamp.ts';
import { FileSlots, indexPath, MemorySlots } from './index-file.ts';
import { ownerHash } from './slot.ts';
import { SlotTable } from './slot-table.ts';

/**
 * Who has which address of a lease directory, without reading the files of all leases. It is only a hint: it lies
 * outside the data directory, because the reference reads every file in there; it counts only as long as the directory
 * has the stamp that it was written for (see `directory-stamp.ts`); what it says of a lease is confirmed in the lease's
 * file; and one that cannot be written or makes no sense is done without.
 *
 * The file has a header and the slots of a table. Whoever holds the lock changes, in this order, the directory, the
 * slots, the directory's stamp, the header. From the first of these to the last, and for ever when the process dies in
 * between, the header has another stamp than the directory, and the index does not count.
 */
export class LeaseIndex {
  private table: SlotTable;
  private block: { first: Ip; bits: Bits } | undefined;

  private constructor(
    private slots: FileSlots | MemorySlots,
    /** Whether what is known is not yet on disk, or no longer. */
    private isChanged: boolean,
  ) {
    this.table = new SlotTable(slots, slots.used);
  }

  /** The index of the directory as it is now; undefined when there is none that counts. */
  static open(directory: string, folder: string): LeaseIndex | undefined {
    try {
      const stamp = stampOf(directory);
      const slots = FileSlots.open(indexPath(folder, stamp), stamp);
      return slots && new LeaseIndex(slots, false);
    } catch {
      return undefined;
    }
  }

  /** A new one, in memory until it is saved. */
  static build(leases: readonly { readonly ip: Ip; readonly owner: string }[]): LeaseIndex {
    const index = new LeaseIndex(new MemorySlots(leases.length), true);
    index.table.addAll(leases.map(({ ip, owner }) => ({ ip, hash: ownerHash(owner) })));
    return index;
  }

  /** Whether this is what a scan in this very call found. */
  get isNew(): boolean {
    return this.slots instanceof MemorySlots;
  }

  /** The addresses that may be this owner's, and all that are. */
  addressesOf(owner: string): Ip[] {
    return this.table.addressesOf(ownerHash(owner));
  }

  /** Of the 64 addresses around this one: whether it is leased, and whether all are. */
  around(ip: Ip): { isLeased: boolean; isFull: boolean } {
    // Whoever looks for a free address asks for one after the other.
    if (!this.block || !sameIp(this.block.first, blockOf(ip))) {
      this.block = { first: blockOf(ip), bits: this.table.bitsAround(ip) };
    }
    const { bits } = this.block;
    return { isLeased: hasBit(bits, ip), isFull: isFull(bits) };
  }

  add(ip: Ip, owner: string): void {
    this.isChanged = true;
    this.block = undefined;
    this.table.add({ ip, hash: ownerHash(owner) });
  }

  remove(ip: Ip, owner: string): void {
    this.isChanged = true;
    this.block = undefined;
    this.table.remove({ ip, hash: ownerHash(owner) });
  }

  /** The last thing to do before the lock is released. */
  save(directory: string, folder: string): void {
    if (!this.isChanged) return;
    try {
      if (this.table.isCrowded) this.grow();
      const stamp = freshStamp(directory);
      if (stamp) this.slots.save(stamp, this.table.used, indexPath(folder, stamp));
    } catch {
      // Then the next call scans.
    }
  }

  close(): void {
    this.slots.close();
  }

  private grow(): void {
    const entries = this.table.entries();
    this.slots.close();
    this.slots = new MemorySlots(entries.length);
    this.table = new SlotTable(this.slots, 0);
    this.table.addAll(entries);
  }
}

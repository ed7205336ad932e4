import { formatIp, type Ip } from '../cni/address.ts';

/**
 * A slot of the index, 32 bytes:
 *
 *     0 kind    1 bytes in the address: 4 or 16    4 checksum of all the rest
 *     8 an owner's hash; of a block a bit for each address, the first one lowest
 *     16 the address; of a block the first of 64
 *
 * An owner's slot is one lease: who has it, and what. A block's slot says which of 64 addresses are leased.
 */
export type Slot = Buffer;

export const slotSize = 32;

export const SlotKind = { empty: 0, owner: 1, block: 2, deleted: 3 } as const;

/** Every address of it is leased. */
export const fullBlock = 2n ** 64n - 1n;

export function ownerSlot(hash: Buffer, ip: Ip): Slot {
  return newSlot(SlotKind.owner, ip, hash.readBigUInt64LE());
}

export function blockSlot(first: Ip, bits: bigint): Slot {
  return newSlot(SlotKind.block, first, bits);
}

export function deletedSlot(): Slot {
  return newSlot(SlotKind.deleted, new Uint8Array(), 0n);
}

export function emptySlot(): Slot {
  return Buffer.alloc(slotSize);
}

export function ipIn(slot: Slot): Ip {
  // A copy: the slot may be another one's soon.
  return Uint8Array.from(slot.subarray(16, 16 + (slot[1] as number)));
}

/** The owner's hash of an owner's slot. */
export function hashIn(slot: Slot): Buffer {
  return slot.subarray(8, 16);
}

export function bitsIn(slot: Slot): bigint {
  return slot.readBigUInt64LE(8);
}

/** Whether the slot is as one of ours was written. */
export function isSound(slot: Slot): boolean {
  return slot[0] === SlotKind.empty || slot.readUInt32LE(4) === checksum(slot);
}

/** The first address of the block that has this one. */
export function blockOf(ip: Ip): Ip {
  const first = ip.slice();
  first[ip.length - 1] = (first[ip.length - 1] as number) & 0xc0;
  return first;
}

export function lastOfBlock(ip: Ip): Ip {
  const last = ip.slice();
  last[ip.length - 1] = (last[ip.length - 1] as number) | 0x3f;
  return last;
}

/** Which of its block's addresses this is: 0 to 63. */
export function placeOf(ip: Ip): number {
  return (ip[ip.length - 1] as number) & 0x3f;
}

/** 64 bits that differ for different owners, in practice; whoever finds one asks the lease's file. */
export function ownerHash(text: string): Buffer {
  const hash = Buffer.alloc(8);
  hash.writeUInt32LE(mix(Buffer.from(text), 0x811c9dc5), 0);
  hash.writeUInt32LE(mix(Buffer.from(text), 0x01234567), 4);
  return hash;
}

/** Where the search for a slot begins: any number of 32 bits. */
export function homeOfOwner(hash: Buffer): number {
  return hash.readUInt32LE(0);
}

export function homeOfBlock(first: Ip): number {
  return mix(Buffer.from(formatIp(first)), 0x9e3779b9);
}

function newSlot(kind: number, ip: Ip, value: bigint): Slot {
  const slot = Buffer.alloc(slotSize);
  slot[0] = kind;
  slot[1] = ip.length;
  slot.writeBigUInt64LE(value, 8);
  slot.set(ip, 16);
  slot.writeUInt32LE(checksum(slot), 4);
  return slot;
}

function checksum(slot: Slot): number {
  return (mix(slot.subarray(0, 4), 0x811c9dc5) ^ mix(slot.subarray(8), 0x811c9dc5)) >>> 0;
}

/** FNV-1a of 32 bits, and the last step of MurmurHash3, without which the low bits of like texts are alike. */
export function mix(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

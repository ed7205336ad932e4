import type { Ip } from '../cni/address.ts';
import type { Bits } from './block.ts';

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

export function ownerSlot(hash: Uint8Array, ip: Ip): Slot {
  return newSlot(SlotKind.owner, ip, hash);
}

export function blockSlot(first: Ip, bits: Bits): Slot {
  return newSlot(SlotKind.block, first, bits);
}

export function deletedSlot(): Slot {
  return newSlot(SlotKind.deleted, new Uint8Array(), new Uint8Array());
}

export function emptySlot(): Slot {
  return Buffer.alloc(slotSize);
}

/** A copy: the slot may be another one's soon. */
export function ipIn(slot: Slot): Ip {
  return Uint8Array.from(slot.subarray(16, 16 + (slot[1] as number)));
}

/** The owner's hash or the block's bits; a copy, too. */
export function valueIn(slot: Slot): Uint8Array {
  return Uint8Array.from(slot.subarray(8, 16));
}

/** Whether the slot is of this kind, with this owner's hash at 8 or this block's address at 16. */
export function isOwner(slot: Slot, hash: Uint8Array): boolean {
  return slot[0] === SlotKind.owner && slot.compare(hash, 0, 8, 8, 16) === 0;
}

/** Whether the slot is about this address: a lease of it, or the block that begins with it. */
export function isAbout(slot: Slot, ip: Ip): boolean {
  return slot[1] === ip.length && slot.compare(ip, 0, ip.length, 16, 16 + ip.length) === 0;
}

/** Whether the slot is as one of ours was written. */
export function isSound(slot: Slot): boolean {
  return slot[0] === SlotKind.empty || slot.readUInt32LE(4) === checksum(slot);
}

/** 64 bits that differ for different owners, in practice; whoever finds one asks the lease's file. */
export function ownerHash(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const hash = Buffer.alloc(8);
  hash.writeUInt32LE(mix(bytes, 0x811c9dc5), 0);
  hash.writeUInt32LE(mix(bytes, 0x01234567), 4);
  return hash;
}

/** Where the search for a slot begins: a number of 32 bits. */
export function homeOfOwner(hash: Uint8Array): number {
  return Buffer.from(hash).readUInt32LE(0);
}

export function homeOfBlock(first: Ip): number {
  return mix(first, 0x9e3779b9);
}

/** FNV-1a of 32 bits, and the last step of MurmurHash3, without which the low bits of like texts are alike. */
export function mix(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  for (let index = 0; index < bytes.length; index += 1) {
    hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function newSlot(kind: number, ip: Ip, value: Uint8Array): Slot {
  const slot = Buffer.alloc(slotSize);
  slot[0] = kind;
  slot[1] = ip.length;
  slot.set(value, 8);
  slot.set(ip, 16);
  slot.writeUInt32LE(checksum(slot), 4);
  return slot;
}

function checksum(slot: Slot): number {
  return (mix(slot.subarray(0, 4), 0x811c9dc5) ^ mix(slot.subarray(8), 0x811c9dc5)) >>> 0;
}

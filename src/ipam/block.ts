import type { Ip } from '../cni/address.ts';

/** 64 addresses that differ in the last six bits only: a bit for each, the first one's lowest in the first byte. */
export type Bits = Uint8Array;

export const noBits: Bits = new Uint8Array(8);

export function blockOf(ip: Ip): Ip {
  return withLastByte(ip, (last) => last & 0xc0);
}

export function lastOfBlock(ip: Ip): Ip {
  return withLastByte(ip, (last) => last | 0x3f);
}

export function hasBit(bits: Bits, ip: Ip): boolean {
  const place = placeOf(ip);
  return ((bits[place >> 3] as number) & (1 << (place & 7))) !== 0;
}

/** A copy in which the address's bit is as it is said to be. */
export function withBit(bits: Bits, ip: Ip, isSet: boolean): Bits {
  const place = placeOf(ip);
  const copy = Uint8Array.from(bits);
  const bit = 1 << (place & 7);
  copy[place >> 3] = isSet ? (copy[place >> 3] as number) | bit : (copy[place >> 3] as number) & ~bit;
  return copy;
}

export function isFull(bits: Bits): boolean {
  return bits.every((byte) => byte === 0xff);
}

export function isVoid(bits: Bits): boolean {
  return bits.every((byte) => byte === 0);
}

function placeOf(ip: Ip): number {
  return (ip[ip.length - 1] as number) & 0x3f;
}

function withLastByte(ip: Ip, change: (last: number) => number): Ip {
  const copy = Uint8Array.from(ip);
  copy[ip.length - 1] = change(ip[ip.length - 1] as number);
  return copy;
}

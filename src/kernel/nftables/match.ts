import type { Expression } from './expression.ts';
import type { SetType } from './set.ts';
import type { Verdict } from './verdict.ts';

/** An address and the length of its prefix: 4 or 16 bytes. */
export interface Prefix {
  readonly ip: Uint8Array;
  readonly prefixLength: number;
}

/**
 * `ip daddr 10.22.0.0/16`, as nft writes it: whole bytes are compared without a mask. In a table of family inet nft
 * shows a header's field by its name only behind a test of the family.
 */
export function addressIs(field: 'saddr' | 'daddr', { ip, prefixLength }: Prefix): Expression[] {
  const family = familyIs(ip.length);
  const bytes = Math.ceil(prefixLength / 8);
  if (bytes === 0) return family;
  const whole = prefixLength % 8 === 0;
  const length = whole ? bytes : ip.length;
  const mask = maskOf(prefixLength, length);
  const value = Buffer.alloc(length);
  for (let index = 0; index < length; index++) value[index] = (ip[index] ?? 0) & (mask[index] ?? 0);
  const source = 1;
  return [
    ...family,
    loadAddress(field, ip.length, length),
    ...(whole
      ? []
      : [{ name: 'bitwise' as const, source, register: source, mask, xor: Buffer.alloc(length) }]),
    { name: 'cmp', op: 'eq', register: source, value },
  ];
}

/** `ip saddr vmap @masquerade4`: what the map says of the address. */
export function addressVerdict(field: 'saddr' | 'daddr', { key: [type], set }: SetType): Expression[] {
  const size = type === 'ipv6_addr' ? 16 : 4;
  return [
    ...familyIs(size),
    loadAddress(field, size, size),
    { name: 'lookup', register: 1, set, result: NFT_REG_VERDICT },
  ];
}

/** The last step of a rule. */
export const verdict = (given: Verdict): Expression => ({ name: 'immediate', verdict: given });

/** `meta nfproto ipv4`, for addresses of so many bytes. */
export function familyIs(size: number): Expression[] {
  const value = Buffer.from([size === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6]);
  return [
    { name: 'meta', key: 'nfproto', register: 1 },
    { name: 'cmp', op: 'eq', register: 1, value },
  ];
}

/** The first bytes of an address, by the offsets in struct iphdr and struct ipv6hdr, into the first register. */
export function loadAddress(field: 'saddr' | 'daddr', size: number, length: number): Expression {
  const source = size === 4 ? 12 : 8;
  const offset = field === 'saddr' ? source : source + size;
  return { name: 'payload', base: 'network', offset, length, register: 1 };
}

function maskOf(prefixLength: number, length: number): Buffer {
  const mask = Buffer.alloc(length);
  for (let index = 0; index < length; index++) {
    const bits = Math.min(8, Math.max(0, prefixLength - index * 8));
    mask[index] = 0xff & (0xff << (8 - bits));
  }
  return mask;
}

/** include/uapi/linux/netfilter.h and netfilter/nf_tables.h */
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const NFT_REG_VERDICT = 0;

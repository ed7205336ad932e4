import { ipText } from '../netlink/ip-address.ts';
import { interfaceName } from './data-type.ts';
import type { Payload } from './load-expression.ts';

/** What a register holds: a part of the packet, a part of that, or a value. */
export interface Held {
  readonly name: string;
  /** How its bytes are written. */
  readonly write: (value: Buffer) => string;
  /** Bytes that were loaded, of `size` that there are. */
  readonly length?: number;
  readonly size?: number;
  readonly mask?: Buffer;
  readonly value?: Buffer;
}

/** A part of a header; `family` is that of the packet where a rule has tested it. */
export function headerField(
  { base, offset, length }: Pick<Payload, 'base' | 'offset' | 'length'>,
  family: string | undefined,
): Held {
  const fields = base === 'transport' ? [] : FIELDS[base];
  const found = fields.find(
    (field) => field.offset === offset && length <= field.size && isOf(field, family),
  );
  if (found === undefined) return { name: `@${base},${offset * 8},${length * 8}`, write: hex };
  return { name: found.name, write: found.write, length, size: found.size };
}

function isOf({ name }: { name: string }, family: string | undefined): boolean {
  return family === undefined || !/^ip6? /.test(name) || name.startsWith(family === 'ipv6' ? 'ip6 ' : 'ip ');
}

/** The header fields that CNI plugins look at, by struct ethhdr, iphdr and ipv6hdr. */
const FIELDS = {
  link: [
    { name: 'ether daddr', offset: 0, size: 6, write: macOf },
    { name: 'ether saddr', offset: 6, size: 6, write: macOf },
  ],
  network: [
    { name: 'ip protocol', offset: 9, size: 1, write: (value: Buffer) => protocolText(value[0]) },
    { name: 'ip saddr', offset: 12, size: 4, write: addressText },
    { name: 'ip daddr', offset: 16, size: 4, write: addressText },
    { name: 'ip6 saddr', offset: 8, size: 16, write: addressText },
    { name: 'ip6 daddr', offset: 24, size: 16, write: addressText },
  ],
};

export function metaField(key: string): Held {
  if (key === 'iifname' || key === 'oifname') return { name: key, write: nameText };
  if (key === 'l4proto') return { name: 'meta l4proto', write: (value) => protocolText(value[0]) };
  if (key === 'nfproto')
    return {
      name: 'meta nfproto',
      write: (value) => (value[0] === 10 ? 'ipv6' : value[0] === 2 ? 'ipv4' : `${value[0]}`),
    };
  if (key === 'mark') return { name: 'meta mark', write: hostOrder };
  return { name: `meta ${key}`, write: hex };
}

/** Without its NUL it is the beginning of a name: `"cni*"`. */
function nameText(value: Buffer): string {
  return `"${interfaceName(value)}${value.includes(0) || value.length === 16 ? '' : '*'}"`;
}

export function fibField(of: string, result: string): Held {
  return {
    name: `fib ${of} ${result}`,
    write: (value) =>
      (result === 'type' && value.length === 4 ? ADDRESS_TYPES[value.readUInt32LE(0)] : undefined) ??
      hex(value),
  };
}

export function ctField(key: string): Held {
  return {
    name: `ct ${key}`,
    write: key === 'state' || key === 'status' ? (value) => bitsText(key, value) : hostOrder,
  };
}

/** The value that a part of the packet is compared to, with the length of its prefix or the mask where there is one. */
export function comparedText({ write, length = 0, size = length, mask }: Held, value: Buffer): string {
  // Of a prefix of whole bytes only these are loaded.
  const prefix = mask === undefined ? (length < size ? length * 8 : undefined) : prefixOf(mask);
  if (prefix !== undefined && size > 0)
    return `${write(Buffer.concat([value, Buffer.alloc(size)]).subarray(0, size))}/${prefix}`;
  return mask === undefined ? write(value) : `${write(value)} (mask ${write(mask)})`;
}

/** Ones, then zeros; undefined for any other mask. */
function prefixOf(mask: Buffer): number | undefined {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0/g, '').length : undefined;
}

/** enum rtattr_type_t of include/uapi/linux/rtnetlink.h */
const ADDRESS_TYPES: Readonly<Record<number, string>> = {
  1: 'unicast',
  2: 'local',
  3: 'broadcast',
  5: 'multicast',
};

/** include/uapi/linux/in.h */
function protocolText(number: number | undefined): string {
  const names: Record<number, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' };
  return names[number ?? -1] ?? `${number}`;
}

/** enum ip_conntrack_info and ip_conntrack_status of nf_conntrack_common.h */
const BITS: Readonly<Record<'state' | 'status', readonly (readonly [number, string])[]>> = {
  state: [
    [1, 'invalid'],
    [2, 'established'],
    [4, 'related'],
    [8, 'new'],
    [64, 'untracked'],
  ],
  status: [
    [1 << 4, 'snat'],
    [1 << 5, 'dnat'],
  ],
};

function bitsText(key: 'state' | 'status', value: Buffer): string {
  if (value.length !== 4) return hex(value);
  const number = value.readUInt32LE(0);
  const known = BITS[key].filter(([bit]) => (number & bit) !== 0);
  const isAll = known.reduce((sum, [bit]) => sum | bit, 0) === number;
  return isAll && known.length > 0 ? known.map(([, name]) => name).join(',') : hostOrder(value);
}

function hostOrder(value: Buffer): string {
  return value.length === 4 ? `0x${value.readUInt32LE(0).toString(16)}` : hex(value);
}

export function addressText(value: Buffer): string {
  return value.length === 4 || value.length === 16 ? ipText(value) : hex(value);
}

function macOf(value: Buffer): string {
  return value.toString('hex').replace(/..(?=.)/g, '$&:');
}

export function hex(value: Buffer): string {
  return `0x${value.toString('hex')}`;
}

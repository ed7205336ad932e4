import type { Attributes } from '../netlink/attribute.ts';
import { be32, be32Attribute } from '../netlink/big-endian.ts';
import { MalformedMessageError } from '../netlink/message.ts';

// Expressions that put something of the packet into a register. A register is a number of enum nft_registers: 1 to 4
// have 16 bytes, 8 to 23 are the same room in parts of four.

/** NFTA_PAYLOAD_*: bytes of a header. */
export interface Payload {
  name: 'payload';
  base: 'link' | 'network' | 'transport';
  offset: number;
  length: number;
  register: number;
}

/** NFTA_META_*: what is known about the packet. */
export interface Meta {
  name: 'meta';
  key: keyof typeof META_KEYS;
  register: number;
}

/** NFTA_META_* the other way: `meta nftrace set 1`, by which the kernel reports what becomes of the packet. */
export interface MetaSet {
  name: 'meta';
  set: 'nftrace';
  /** The register with the value, of one byte. */
  source: number;
}

/** NFTA_FIB_*: what the routing tables say about an address of the packet. */
export interface Fib {
  name: 'fib';
  of: 'saddr' | 'daddr';
  result: 'oif' | 'oifname' | 'type';
  register: number;
}

/** NFTA_CT_*: of the packet's connection. */
export interface Ct {
  name: 'ct';
  key: 'state' | 'direction' | 'status' | 'mark';
  register: number;
}

export const payloadCodec = {
  encode: ({ base, offset, length, register }: Payload): Buffer[] => [
    be32Attribute(NFTA_PAYLOAD_DREG, register),
    be32Attribute(NFTA_PAYLOAD_BASE, BASES.indexOf(base)),
    be32Attribute(NFTA_PAYLOAD_OFFSET, offset),
    be32Attribute(NFTA_PAYLOAD_LEN, length),
  ],
  /** Undefined where it writes to the packet. */
  decode: (data: Attributes): Payload | undefined => {
    const register = be32(data, NFTA_PAYLOAD_DREG);
    const base = BASES[needed(data, NFTA_PAYLOAD_BASE)];
    if (register === undefined || base === undefined) return undefined;
    const offset = needed(data, NFTA_PAYLOAD_OFFSET);
    return { name: 'payload', base, offset, length: needed(data, NFTA_PAYLOAD_LEN), register };
  },
};

export const metaCodec = {
  encode: (meta: Meta | MetaSet): Buffer[] =>
    'set' in meta
      ? [be32Attribute(NFTA_META_KEY, NFT_META_NFTRACE), be32Attribute(NFTA_META_SREG, meta.source)]
      : [be32Attribute(NFTA_META_KEY, META_KEYS[meta.key]), be32Attribute(NFTA_META_DREG, meta.register)],
  /** Undefined where it writes, and for keys that we do not use. */
  decode: (data: Attributes): Meta | undefined => {
    const register = be32(data, NFTA_META_DREG);
    const key = nameOf(META_KEYS, needed(data, NFTA_META_KEY));
    return register === undefined || key === undefined ? undefined : { name: 'meta', key, register };
  },
};

export const fibCodec = {
  encode: ({ of, result, register }: Fib): Buffer[] => [
    be32Attribute(NFTA_FIB_FLAGS, FIB_FLAGS[of]),
    be32Attribute(NFTA_FIB_RESULT, FIB_RESULTS[result]),
    be32Attribute(NFTA_FIB_DREG, register),
  ],
  decode: (data: Attributes): Fib | undefined => {
    const of = nameOf(FIB_FLAGS, needed(data, NFTA_FIB_FLAGS));
    const result = nameOf(FIB_RESULTS, needed(data, NFTA_FIB_RESULT));
    if (of === undefined || result === undefined) return undefined;
    return { name: 'fib', of, result, register: needed(data, NFTA_FIB_DREG) };
  },
};

export const ctCodec = {
  encode: ({ key, register }: Ct): Buffer[] => [
    be32Attribute(NFTA_CT_KEY, CT_KEYS.indexOf(key)),
    be32Attribute(NFTA_CT_DREG, register),
  ],
  decode: (data: Attributes): Ct | undefined => {
    const register = be32(data, NFTA_CT_DREG);
    const key = CT_KEYS[needed(data, NFTA_CT_KEY)];
    return register === undefined || key === undefined ? undefined : { name: 'ct', key, register };
  },
};

/** Throws MalformedMessageError when the attribute is missing. */
export function needed(data: Attributes, type: number): number {
  const value = be32(data, type);
  if (value === undefined) throw new MalformedMessageError(`expression without its attribute ${type}`);
  return value;
}

export function nameOf<K extends string>(numbers: Record<K, number>, number: number): K | undefined {
  return (Object.keys(numbers) as K[]).find((name) => numbers[name] === number);
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFTA_PAYLOAD_DREG = 1;
const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;
const NFTA_META_DREG = 1;
const NFTA_META_KEY = 2;
const NFTA_META_SREG = 3;
const NFTA_FIB_DREG = 1;
const NFTA_FIB_RESULT = 2;
const NFTA_FIB_FLAGS = 3;
const NFTA_CT_DREG = 1;
const NFTA_CT_KEY = 2;
/** enum nft_payload_bases, in order */
const BASES = ['link', 'network', 'transport'] as const;
/** enum nft_meta_keys */
const NFT_META_NFTRACE = 12;
const META_KEYS = {
  protocol: 1,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  nfproto: 15,
  l4proto: 16,
};
/** NFTA_FIB_F_* */
const FIB_FLAGS = { saddr: 1, daddr: 2 };
/** enum nft_fib_result */
const FIB_RESULTS = { oif: 1, oifname: 2, type: 3 };
/** enum nft_ct_keys, in order */
const CT_KEYS = ['state', 'direction', 'status', 'mark'] as const;

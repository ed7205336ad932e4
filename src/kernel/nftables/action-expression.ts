import { type Attributes, nested } from '../netlink/attribute.ts';
import { be32, be32Attribute, be64, be64Attribute } from '../netlink/big-endian.ts';
import { MalformedMessageError } from '../netlink/message.ts';
import { decodeValue, encodeValue } from './data-value.ts';
import { familyNumber, familyOf } from './family.ts';
import { nameOf, needed } from './load-expression.ts';
import { decodeVerdict, encodeVerdict, type Verdict } from './verdict.ts';

// Expressions that do something with a packet that matched.

/** NFTA_IMMEDIATE_*: a verdict, or a value put into a register. */
export type Immediate =
  | { name: 'immediate'; verdict: Verdict }
  | { name: 'immediate'; register: number; value: Uint8Array };

/** NFTA_MASQ_*: the source becomes the address of the interface that the packet leaves by. */
export interface Masquerade {
  name: 'masq';
  /** NF_NAT_RANGE_*: 4 random, 8 persistent, 16 fully-random. */
  flags?: number;
}

/** NFTA_NAT_*: the source or destination becomes what the registers hold. */
export interface Nat {
  name: 'nat';
  of: 'snat' | 'dnat';
  family: 'ip' | 'ip6';
  /** The first register of the address, and of the port. */
  address?: number;
  port?: number;
}

/** NFTA_COUNTER_* */
export interface Counter {
  name: 'counter';
  packets: number;
  bytes: number;
}

export const immediateCodec = {
  encode: (immediate: Immediate): Buffer[] =>
    'verdict' in immediate
      ? [
          be32Attribute(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT),
          nested(NFTA_IMMEDIATE_DATA, encodeVerdict(immediate.verdict)),
        ]
      : [
          be32Attribute(NFTA_IMMEDIATE_DREG, immediate.register),
          encodeValue(NFTA_IMMEDIATE_DATA, immediate.value),
        ],
  decode: (data: Attributes): Immediate => {
    const register = needed(data, NFTA_IMMEDIATE_DREG);
    const content = data.nested(NFTA_IMMEDIATE_DATA);
    const verdict = content && decodeVerdict(content);
    if (verdict !== undefined) return { name: 'immediate', verdict };
    return { name: 'immediate', register, value: decodeValue(data, NFTA_IMMEDIATE_DATA) };
  },
};

export const masqCodec = {
  encode: ({ flags }: Masquerade): Buffer[] =>
    flags === undefined ? [] : [be32Attribute(NFTA_MASQ_FLAGS, flags)],
  decode: (data: Attributes): Masquerade => {
    const flags = be32(data, NFTA_MASQ_FLAGS);
    return flags === undefined ? { name: 'masq' } : { name: 'masq', flags };
  },
};

export const natCodec = {
  encode: ({ of, family, address, port }: Nat): Buffer[] => [
    be32Attribute(NFTA_NAT_TYPE, NAT_TYPES[of]),
    be32Attribute(NFTA_NAT_FAMILY, familyNumber(family)),
    ...(address === undefined ? [] : [be32Attribute(NFTA_NAT_REG_ADDR_MIN, address)]),
    ...(port === undefined ? [] : [be32Attribute(NFTA_NAT_REG_PROTO_MIN, port)]),
  ],
  decode: (data: Attributes): Nat => {
    const of = nameOf(NAT_TYPES, needed(data, NFTA_NAT_TYPE));
    const family = familyOf(needed(data, NFTA_NAT_FAMILY));
    if (of === undefined || (family !== 'ip' && family !== 'ip6')) {
      throw new MalformedMessageError(`nat of family ${family}`);
    }
    const address = be32(data, NFTA_NAT_REG_ADDR_MIN);
    const port = be32(data, NFTA_NAT_REG_PROTO_MIN);
    return {
      name: 'nat',
      of,
      family,
      ...(address === undefined ? {} : { address }),
      ...(port === undefined ? {} : { port }),
    };
  },
};

export const counterCodec = {
  encode: ({ packets, bytes }: Counter): Buffer[] =>
    packets === 0 && bytes === 0
      ? []
      : [be64Attribute(NFTA_COUNTER_BYTES, bytes), be64Attribute(NFTA_COUNTER_PACKETS, packets)],
  decode: (data: Attributes): Counter => ({
    name: 'counter',
    packets: be64(data, NFTA_COUNTER_PACKETS) ?? 0,
    bytes: be64(data, NFTA_COUNTER_BYTES) ?? 0,
  }),
};

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_REG_VERDICT = 0;
const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;
const NFTA_MASQ_FLAGS = 1;
const NFTA_NAT_TYPE = 1;
const NFTA_NAT_FAMILY = 2;
const NFTA_NAT_REG_ADDR_MIN = 3;
const NFTA_NAT_REG_PROTO_MIN = 5;
const NFTA_COUNTER_BYTES = 1;
const NFTA_COUNTER_PACKETS = 2;
/** enum nft_nat_types */
const NAT_TYPES = { snat: 0, dnat: 1 };

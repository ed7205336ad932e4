import { type Attributes, stringAttribute } from '../netlink/attribute.ts';
import { be32, be32Attribute } from '../netlink/big-endian.ts';
import { MalformedMessageError } from '../netlink/message.ts';
import { decodeValue, encodeValue } from './data-value.ts';
import { nameOf, needed } from './load-expression.ts';

// Expressions that end a rule for a packet that does not match, and what they need.

/** NFTA_CMP_*: goes on only if the register compares so to the value. */
export interface Cmp {
  name: 'cmp';
  op: keyof typeof CMP_OPS;
  register: number;
  value: Uint8Array;
}

/** NFTA_BITWISE_*: the register's bytes, AND the mask, XOR another; as long as these are. */
export interface Bitwise {
  name: 'bitwise';
  source: number;
  register: number;
  mask: Uint8Array;
  xor: Uint8Array;
}

/**
 * NFTA_LOOKUP_*: goes on only if the set has (inverted: has not) the register's key. With `result` it is a map: the
 * element's data goes to that register, and 0 is where a verdict goes.
 */
export interface Lookup {
  name: 'lookup';
  set: string;
  register: number;
  inverted?: boolean;
  result?: number;
}

export const cmpCodec = {
  encode: ({ op, register, value }: Cmp): Buffer[] => [
    be32Attribute(NFTA_CMP_SREG, register),
    be32Attribute(NFTA_CMP_OP, CMP_OPS[op]),
    encodeValue(NFTA_CMP_DATA, value),
  ],
  decode: (data: Attributes): Cmp | undefined => {
    const op = nameOf(CMP_OPS, needed(data, NFTA_CMP_OP));
    if (op === undefined) return undefined;
    return {
      name: 'cmp',
      op,
      register: needed(data, NFTA_CMP_SREG),
      value: decodeValue(data, NFTA_CMP_DATA),
    };
  },
};

export const bitwiseCodec = {
  encode: ({ source, register, mask, xor }: Bitwise): Buffer[] => [
    be32Attribute(NFTA_BITWISE_SREG, source),
    be32Attribute(NFTA_BITWISE_DREG, register),
    be32Attribute(NFTA_BITWISE_LEN, mask.length),
    encodeValue(NFTA_BITWISE_MASK, mask),
    encodeValue(NFTA_BITWISE_XOR, xor),
  ],
  /** Undefined for shifts, and for operations on two registers. */
  decode: (data: Attributes): Bitwise | undefined => {
    if ((be32(data, NFTA_BITWISE_OP) ?? 0) !== 0) return undefined;
    return {
      name: 'bitwise',
      source: needed(data, NFTA_BITWISE_SREG),
      register: needed(data, NFTA_BITWISE_DREG),
      mask: decodeValue(data, NFTA_BITWISE_MASK),
      xor: decodeValue(data, NFTA_BITWISE_XOR),
    };
  },
};

export const lookupCodec = {
  encode: ({ set, register, inverted, result }: Lookup): Buffer[] => [
    be32Attribute(NFTA_LOOKUP_SREG, register),
    ...(result === undefined ? [] : [be32Attribute(NFTA_LOOKUP_DREG, result)]),
    stringAttribute(NFTA_LOOKUP_SET, set),
    ...(inverted === true ? [be32Attribute(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV)] : []),
  ],
  decode: (data: Attributes): Lookup => {
    const set = data.string(NFTA_LOOKUP_SET);
    if (set === undefined) throw new MalformedMessageError('lookup without a set');
    const result = be32(data, NFTA_LOOKUP_DREG);
    const inverted = ((be32(data, NFTA_LOOKUP_FLAGS) ?? 0) & NFT_LOOKUP_F_INV) !== 0;
    return {
      name: 'lookup',
      set,
      register: needed(data, NFTA_LOOKUP_SREG),
      ...(inverted ? { inverted } : {}),
      ...(result === undefined ? {} : { result }),
    };
  },
};

/** include/uapi/linux/netfilter/nf_tables.h */
const NFTA_CMP_SREG = 1;
const NFTA_CMP_OP = 2;
const NFTA_CMP_DATA = 3;
const NFTA_BITWISE_SREG = 1;
const NFTA_BITWISE_DREG = 2;
const NFTA_BITWISE_LEN = 3;
const NFTA_BITWISE_MASK = 4;
const NFTA_BITWISE_XOR = 5;
const NFTA_BITWISE_OP = 6;
const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_DREG = 3;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;
/** enum nft_cmp_ops */
const CMP_OPS = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 };

import { type Attributes, attribute, nested } from '../netlink/attribute.ts';
import { MalformedMessageError } from '../netlink/message.ts';

/** NFTA_DATA_VALUE inside the attribute that has it: a key, a mask, a constant. */
export function encodeValue(type: number, value: Uint8Array): Buffer {
  return nested(type, attribute(NFTA_DATA_VALUE, value));
}

/** Throws MalformedMessageError. */
export function decodeValue(data: Attributes, type: number): Buffer {
  const value = data.nested(type)?.bytes(NFTA_DATA_VALUE);
  if (value === undefined) throw new MalformedMessageError(`attribute ${type} without a value`);
  return value;
}

/** enum nft_data_attributes, include/uapi/linux/netfilter/nf_tables.h */
export const NFTA_DATA_VALUE = 1;

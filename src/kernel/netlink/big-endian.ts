import { type Attributes, attribute } from './attribute.ts';
import { MalformedMessageError } from './message.ts';

// Netfilter's numbers are in network order, unlike all others of netlink.

/** nla_put_be16 */
export function be16Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return attribute(type, bytes);
}

/** nla_put_be32; a negative number as its two's complement. */
export function be32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return attribute(type, bytes);
}

/** nla_put_be64 */
export function be64Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return attribute(type, bytes);
}

/** nla_get_be16. Throws MalformedMessageError, as the others do. */
export function be16(attributes: Attributes, type: number): number | undefined {
  return ofSize(attributes, type, 2)?.readUInt16BE();
}

/** nla_get_be32 */
export function be32(attributes: Attributes, type: number): number | undefined {
  return ofSize(attributes, type, 4)?.readUInt32BE();
}

/** nla_get_be32, where the number has a sign. */
export function signedBe32(attributes: Attributes, type: number): number | undefined {
  return ofSize(attributes, type, 4)?.readInt32BE();
}

/** nla_get_be64: handles and counters, which stay below 2^53. */
export function be64(attributes: Attributes, type: number): number | undefined {
  const value = ofSize(attributes, type, 8)?.readBigUInt64BE();
  return value === undefined ? undefined : Number(value);
}

function ofSize(attributes: Attributes, type: number, size: number): Buffer | undefined {
  const value = attributes.bytes(type);
  if (value === undefined || value.length === size) return value;
  throw new MalformedMessageError(`attribute ${type} has ${value.length} bytes, not ${size}`);
}

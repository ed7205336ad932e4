import { align, MalformedMessageError } from './message.ts';

/** struct nlattr, include/uapi/linux/netlink.h: length and type of two bytes each, then the value, then padding. */
const HEADER_LENGTH = 4;
const NLA_F_NESTED = 0x8000;
/** NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NLA_TYPE_MASK = 0x3fff;

/** nla_put: one attribute. A nested one takes its attributes as value, see nested(). */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = HEADER_LENGTH + value.length;
  if (length > 0xffff)
    throw new RangeError(`attribute ${type} of ${value.length} bytes does not fit nla_len`);
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, HEADER_LENGTH);
  return bytes;
}

/** nla_put_u8 */
export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]));
}

/** nla_put_u16 */
export function u16Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return attribute(type, bytes);
}

/** nla_put_u32 */
export function u32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return attribute(type, bytes);
}

/** nla_put_string: with its NUL, which NLA_NUL_STRING policies demand and NLA_STRING ones allow. */
export function stringAttribute(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`));
}

/** nla_nest_start and nla_nest_end */
export function nested(type: number, ...attributes: Buffer[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

/**
 * The attributes of a message or of a nested attribute, by type; of two of one type the later one counts, as in
 * nla_parse. All lengths are checked at once; values are cut out when they are asked for, for a link has forty
 * attributes and we read nine. Everything here throws MalformedMessageError, and nothing else.
 */
export class Attributes {
  readonly #bytes: Buffer;
  /** Where the header of each type is. */
  readonly #offsets = new Map<number, number>();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    forEachAttribute(bytes, (type, offset) => this.#offsets.set(type, offset));
  }

  bytes(type: number): Buffer | undefined {
    const offset = this.#offsets.get(type);
    if (offset === undefined) return undefined;
    return attributeValue(this.#bytes, offset);
  }

  u8(type: number): number | undefined {
    return this.#ofSize(type, 1)?.readUInt8();
  }

  u16(type: number): number | undefined {
    return this.#ofSize(type, 2)?.readUInt16LE();
  }

  u32(type: number): number | undefined {
    return this.#ofSize(type, 4)?.readUInt32LE();
  }

  s32(type: number): number | undefined {
    return this.#ofSize(type, 4)?.readInt32LE();
  }

  /** Up to the NUL, when there is one. */
  string(type: number): string | undefined {
    const value = this.bytes(type);
    if (value === undefined) return undefined;
    const end = value.indexOf(0);
    return value.toString('utf8', 0, end < 0 ? value.length : end);
  }

  nested(type: number): Attributes | undefined {
    const value = this.bytes(type);
    return value === undefined ? undefined : new Attributes(value);
  }

  #ofSize(type: number, size: number): Buffer | undefined {
    const value = this.bytes(type);
    if (value === undefined || value.length === size) return value;
    throw new MalformedMessageError(`attribute ${type} has ${value.length} bytes, not ${size}`);
  }
}

/** As nla_for_each_attr: where each attribute is. Throws MalformedMessageError. */
export function forEachAttribute(bytes: Buffer, visit: (type: number, offset: number) => void): void {
  // Less than a header at the end is padding, as for nla_ok.
  for (let offset = 0; offset + HEADER_LENGTH <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset);
    if (length < HEADER_LENGTH || length > bytes.length - offset) {
      throw new MalformedMessageError(`attribute of ${length} bytes at ${offset} of ${bytes.length}`);
    }
    visit(bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK, offset);
    offset += align(length);
  }
}

/** The value of the attribute whose header is at an offset that forEachAttribute gave. */
export function attributeValue(bytes: Buffer, offset: number): Buffer {
  return bytes.subarray(offset + HEADER_LENGTH, offset + bytes.readUInt16LE(offset));
}

/** Takes out what is undefined: an attribute that the kernel did not send becomes a key that is not there. */
export function present<T extends object>(fields: PossiblyUndefined<T>): T {
  for (const key in fields) if (fields[key] === undefined) delete fields[key];
  return fields as unknown as T;
}

/** T, where optional keys may also be there and undefined. */
type PossiblyUndefined<T> = {
  [K in keyof T]: Partial<Pick<T, K>> extends Pick<T, K> ? T[K] | undefined : T[K];
};

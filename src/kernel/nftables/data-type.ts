import { ipText } from '../netlink/ip-address.ts';
import { align, MalformedMessageError } from '../netlink/message.ts';

/** What a field of a key or of data is: nft's own types, of which the kernel knows the length only. */
export type DataType =
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'ether_addr'
  | 'inet_proto'
  | 'inet_service'
  | 'mark'
  | 'ifname';

/** One value for each type of a concatenation, in network order where nft has it so. */
export type Fields = readonly Uint8Array[];

/** The bytes as the kernel compares them: each field padded to a register's four. Throws RangeError on a wrong length. */
export function encodeFields(types: readonly DataType[], fields: Fields): Buffer {
  if (fields.length !== types.length)
    throw new RangeError(`${fields.length} fields for ${types.join(' . ')}`);
  const bytes = Buffer.alloc(lengthOf(types));
  let offset = 0;
  types.forEach((type, index) => {
    const field = fields[index] ?? new Uint8Array();
    if (field.length !== TYPES[type].length) throw new RangeError(`${field.length} bytes for ${type}`);
    bytes.set(field, offset);
    offset += align(field.length);
  });
  return bytes;
}

/** Throws MalformedMessageError when there are too few bytes or too many. */
export function decodeFields(types: readonly DataType[], bytes: Buffer): Buffer[] {
  // A field alone is not padded.
  if (align(bytes.length) !== align(lengthOf(types))) {
    throw new MalformedMessageError(`${bytes.length} bytes for ${types.join(' . ')}`);
  }
  let offset = 0;
  return types.map((type) => {
    const field = bytes.subarray(offset, offset + TYPES[type].length);
    offset += align(TYPES[type].length);
    return field;
  });
}

/** As nft writes it: `10.22.0.5 . tcp . 80`. */
export function fieldsText(types: readonly DataType[], fields: Fields): string {
  return types.map((type, index) => TYPES[type].text(Buffer.from(fields[index] ?? []))).join(' . ');
}

/** In bytes: NFTA_SET_KEY_LEN and NFTA_SET_DATA_LEN. */
export function lengthOf(types: readonly DataType[]): number {
  const [first, ...more] = types;
  if (first !== undefined && more.length === 0) return TYPES[first].length;
  return types.reduce((sum, type) => sum + align(TYPES[type].length), 0);
}

/** NFTA_SET_KEY_TYPE and NFTA_SET_DATA_TYPE: six bits for each field (nft's concat_subtype_add). */
export function typeNumber(types: readonly DataType[]): number {
  return types.reduce((number, type) => (number << TYPE_BITS) | TYPES[type].number, 0);
}

/** Undefined when one of them is none that we know. */
export function typesOf(number: number): DataType[] | undefined {
  const types: DataType[] = [];
  for (let rest = number; rest !== 0; rest >>>= TYPE_BITS) {
    const wanted = rest & ((1 << TYPE_BITS) - 1);
    const type = (Object.keys(TYPES) as DataType[]).find((name) => TYPES[name].number === wanted);
    if (type === undefined) return undefined;
    types.unshift(type);
  }
  return types;
}

/** As nft's user data has it: 1 the host's, 2 the network's, 0 for a concatenation. */
export function byteOrder(types: readonly DataType[]): number {
  const [first, ...more] = types;
  return first === undefined || more.length > 0 ? 0 : TYPES[first].byteOrder;
}

/** inet_service */
export function portField(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}

/** inet_proto */
export function protocolField(protocol: 'tcp' | 'udp' | 'sctp'): Buffer {
  return Buffer.from([PROTOCOLS[protocol]]);
}

/** ifname: IFNAMSIZ bytes, filled with NUL. Throws RangeError for a name that no interface can have. */
export function interfaceField(name: string): Buffer {
  const bytes = Buffer.alloc(IFNAMSIZ);
  if (Buffer.byteLength(name) >= IFNAMSIZ) throw new RangeError(`"${name}" is longer than a name can be`);
  bytes.write(name);
  return bytes;
}

/** ether_addr, of text with colons. */
export const macField = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');

/** The name in an ifname field. */
export function interfaceName(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** include/uapi/linux/if.h, and TYPE_BITS of nftables' datatype.h */
const IFNAMSIZ = 16;
const TYPE_BITS = 6;

/** include/uapi/linux/in.h */
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 };

const HOST_ORDER = 1;
const NETWORK_ORDER = 2;

interface TypeFacts {
  /** enum datatypes of nftables' datatype.h */
  number: number;
  length: number;
  byteOrder: number;
  text: (field: Buffer) => string;
}

const TYPES: Record<DataType, TypeFacts> = {
  ipv4_addr: { number: 7, length: 4, byteOrder: NETWORK_ORDER, text: ipText },
  ipv6_addr: { number: 8, length: 16, byteOrder: NETWORK_ORDER, text: ipText },
  ether_addr: { number: 9, length: 6, byteOrder: NETWORK_ORDER, text: macText },
  inet_proto: { number: 12, length: 1, byteOrder: NETWORK_ORDER, text: protocolText },
  inet_service: {
    number: 13,
    length: 2,
    byteOrder: NETWORK_ORDER,
    text: (field) => `${field.readUInt16BE()}`,
  },
  mark: {
    number: 19,
    length: 4,
    byteOrder: HOST_ORDER,
    text: (field) => `0x${field.readUInt32LE().toString(16)}`,
  },
  ifname: { number: 41, length: 16, byteOrder: HOST_ORDER, text: (field) => `"${interfaceName(field)}"` },
};

function macText(field: Buffer): string {
  return field.toString('hex').replace(/..(?=.)/g, '$&:');
}

function protocolText(field: Buffer): string {
  const known = Object.entries(PROTOCOLS).find(([, number]) => number === field[0]);
  return known?.[0] ?? `${field[0]}`;
}

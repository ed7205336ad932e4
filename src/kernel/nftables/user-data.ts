import { MalformedMessageError } from '../netlink/message.ts';

/**
 * What nft keeps beside an object, and the kernel stores without a look: libnftnl's udata, one type and one length
 * of a byte each, then the value.
 */
export function encodeUserData(values: ReadonlyMap<number, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [type, value] of values) parts.push(Buffer.from([type, value.length]), value);
  return Buffer.concat(parts);
}

/** By type; of two of one type the later one counts. Throws MalformedMessageError. */
export function decodeUserData(bytes: Buffer): Map<number, Buffer> {
  const values = new Map<number, Buffer>();
  for (let offset = 0; offset < bytes.length; ) {
    const length = offset + 1 < bytes.length ? bytes.readUInt8(offset + 1) : bytes.length;
    const end = offset + 2 + length;
    if (end > bytes.length) throw new MalformedMessageError(`user data of ${length} bytes at ${offset}`);
    values.set(bytes.readUInt8(offset), bytes.subarray(offset + 2, end));
    offset = end;
  }
  return values;
}

/**
 * A comment as user data keeps it, with its NUL. Throws RangeError above 128 bytes, NFTNL_UDATA_COMMENT_MAXLEN: the
 * kernel would take it, and nft refuse to load what it listed.
 */
export function commentValue(comment: string): Buffer {
  const bytes = Buffer.from(`${comment}\0`);
  if (bytes.length > COMMENT_LIMIT + 1) {
    throw new RangeError(`comment of ${bytes.length - 1} bytes, more than ${COMMENT_LIMIT}: ${comment}`);
  }
  return bytes;
}

/** The comment in the user data of a table, chain, rule or element; sets have it under another type. */
export function commentOf(userData: Buffer | undefined, type = COMMENT): string | undefined {
  return userData === undefined ? undefined : commentText(wellFormed(userData)?.get(type));
}

/** User data with nothing but a comment; nothing without one. */
export function commentUserData(comment: string | undefined): Buffer | undefined {
  return comment === undefined ? undefined : encodeUserData(new Map([[COMMENT, commentValue(comment)]]));
}

/** Bytes. */
export const COMMENT_LIMIT = 128;

/** NFTNL_UDATA_TABLE_COMMENT, NFTNL_UDATA_CHAIN_COMMENT, NFTNL_UDATA_RULE_COMMENT, NFTNL_UDATA_SET_ELEM_COMMENT */
const COMMENT = 0;

function commentText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** Other programs may keep there whatever they like. */
function wellFormed(bytes: Buffer): Map<number, Buffer> | undefined {
  try {
    return decodeUserData(bytes);
  } catch {
    return undefined;
  }
}

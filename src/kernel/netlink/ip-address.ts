import { MalformedMessageError } from './message.ts';

/** An address and the length of its network's prefix; the bytes are four or sixteen, in network order. */
export interface IpPrefix {
  readonly ip: Uint8Array;
  readonly prefixLength: number;
}

/** include/linux/socket.h */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** `4` and `6` for the two families of addresses that we know; undefined for others: MPLS, bridge ports. */
export function ipFamily(addressFamily: number): 4 | 6 | undefined {
  if (addressFamily === AF_INET) return 4;
  return addressFamily === AF_INET6 ? 6 : undefined;
}

/** AF_INET for four bytes and AF_INET6 for sixteen. Throws RangeError for other lengths. */
export function addressFamily(ip: Uint8Array): number {
  if (ip.length === 4) return AF_INET;
  if (ip.length === 16) return AF_INET6;
  throw new RangeError(`address of ${ip.length} bytes`);
}

/** `10.22.0.5/16`. Throws as ipText does. */
export function prefixText({ ip, prefixLength }: IpPrefix): string {
  return `${ipText(ip)}/${prefixLength}`;
}

/**
 * The text of four or sixteen bytes: `10.22.0.5`, or IPv6 as RFC 5952 writes it. An IPv4-mapped address stays one
 * of IPv6, `::ffff:10.22.0.5`, as Go's net/netip has it. Throws MalformedMessageError for other lengths.
 */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return ipv4Text(bytes);
  if (bytes.length !== 16) throw new MalformedMessageError(`address of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups: number[] = [];
  for (let offset = 0; offset < 16; offset += 2) groups.push(view.getUint16(offset));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes.subarray(12))}`;
  }
  return ipv6Text(groups);
}

const ipv4Text = (bytes: Uint8Array): string => bytes.join('.');

/** The longest run of zero groups, the first of equal ones, becomes `::`; a single zero group does not. */
function ipv6Text(groups: number[]): string {
  const { start, length } = longestRunOfZeros(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestRunOfZeros(groups: number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  });
  return longest;
}

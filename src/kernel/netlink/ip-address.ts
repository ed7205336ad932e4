import { MalformedMessageError } from './message.ts';

/** include/linux/socket.h */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** `4` and `6` for the two families of addresses that we know; undefined for others: MPLS, bridge ports. */
export function ipFamily(addressFamily: number): 4 | 6 | undefined {
  if (addressFamily === AF_INET) return 4;
  return addressFamily === AF_INET6 ? 6 : undefined;
}

/**
 * The text of four or sixteen bytes: `10.22.0.5`, or IPv6 as RFC 5952 writes it. An IPv4-mapped address stays one
 * of IPv6, `::ffff:10.22.0.5`, as Go's net/netip has it. Throws MalformedMessageError for other lengths.
 */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return ipv4Text(bytes);
  if (bytes.length !== 16) throw new MalformedMessageError(`address of ${bytes.length} bytes`);
  const groups: number[] = [];
  for (let offset = 0; offset < 16; offset += 2) groups.push(bytes.readUInt16BE(offset));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes.subarray(12))}`;
  }
  return ipv6Text(groups);
}

const ipv4Text = (bytes: Buffer): string => bytes.join('.');

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

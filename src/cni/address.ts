/** An IP address: 4 bytes, or 16 for what is no IPv4 address in IPv6 form. */
export type Ip = Uint8Array;

/** An address and its network, such as `10.1.0.5/16`; the host bits are kept, as in Go's `types.IPNet`. */
export interface Cidr {
  readonly ip: Ip;
  readonly prefixLength: number;
}

/**
 * As Go's `net.ParseIP`: no zone, no leading zeros in IPv4. `::ffff:10.0.0.1` is 10.0.0.1, as Go's `To4` has it.
 * Undefined when the text is no address.
 */
export function parseIp(text: string): Ip | undefined {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return bytes && to4(bytes);
}

/** As Go's `net.ParseCIDR`, whose prefix length may have leading zeros. Undefined when the text is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const ip = parseIp(address);
  if (ip === undefined || more.length > 0 || !/^[0-9]+$/.test(length)) return undefined;
  const bits = address.includes(':') ? 128 : 32;
  if (Number(length) > bits) return undefined;
  // Of an IPv4 address in IPv6 form Go keeps the last four bytes of the mask, too.
  return { ip, prefixLength: Math.max(0, Number(length) - (bits - ip.length * 8)) };
}

/**
 * As Go's `net.ParseMAC`: 6, 8 or 20 bytes (EUI-48, EUI-64, InfiniBand) with `:`, `-` or, after every second byte, `.`
 * between them. In lower case with `:`; undefined when the text is no hardware address.
 */
export function parseMac(text: string): string | undefined {
  if (!pairs.test(text) && !quads.test(text)) return undefined;
  const bytes = text.toLowerCase().match(/[0-9a-f]{2}/g) ?? [];
  return [6, 8, 20].includes(bytes.length) ? bytes.join(':') : undefined;
}

export function family(ip: Ip): 4 | 6 {
  return to4(ip).length === 4 ? 4 : 6;
}

/** As Go's `IP.String`, which writes IPv6 as RFC 5952 has it. */
export function formatIp(ip: Ip): string {
  const bytes = to4(ip);
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

export function formatCidr({ ip, prefixLength }: Cidr): string {
  return `${formatIp(ip)}/${prefixLength}`;
}

/** The same network with its host bits cleared: `10.1.0.5/16` becomes `10.1.0.0/16`. */
export function networkOf({ ip, prefixLength }: Cidr): Cidr {
  const masked = to4(ip).map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte & (0xff << (8 - bits));
  });
  return { ip: masked, prefixLength };
}

/** Whether the network of `cidr` has the address; an address of the other family is in no network. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  const network = to4(cidr.ip);
  const bytes = to4(ip);
  if (network.length !== bytes.length) return false;
  return network.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, cidr.prefixLength - index * 8));
    return (byte ^ (bytes[index] ?? 0)) >> (8 - bits) === 0;
  });
}

export function sameIp(one: Ip, other: Ip): boolean {
  return contains({ ip: one, prefixLength: 128 }, other);
}

const decimal = /^(?:0|[1-9][0-9]{0,2})$/;
const hexadecimal = /^[0-9a-f]{1,4}$/i;
const pairs = /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1)*[0-9a-f]{2}$/i;
const quads = /^(?:[0-9a-f]{4}\.)+[0-9a-f]{4}$/i;
const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function to4(ip: Ip): Ip {
  const mapped = ip.length === 16 && mappedPrefix.every((byte, index) => ip[index] === byte);
  return mapped ? ip.subarray(12) : ip;
}

function parseIpv4(text: string): Ip | undefined {
  const fields = text.split('.');
  if (fields.length !== 4 || !fields.every((field) => decimal.test(field) && Number(field) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(fields, Number);
}

function parseIpv6(text: string): Ip | undefined {
  const [left = '', right, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  // Only the end of an address may be written as IPv4 is.
  const head = parseGroups(left, right === undefined);
  const tail = parseGroups(right ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 16 - head.length - tail.length;
  // `::` stands for at least one group.
  if (right === undefined ? zeros !== 0 : zeros < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(zeros).fill(0), ...tail]);
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const bytes: number[] = [];
  const groups = text === '' ? [] : text.split(':');
  for (const [index, group] of groups.entries()) {
    const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (ipv4 !== undefined) bytes.push(...ipv4);
    else if (hexadecimal.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes;
}

function formatIpv6(bytes: Ip): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
  );
  const { start, length } = longestRunOfZeros(groups);
  const write = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return write(groups);
  return `${write(groups.slice(0, start))}::${write(groups.slice(start + length))}`;
}

/** The first of the longest. */
function longestRunOfZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index + 1 - length, length };
  }
  return longest;
}

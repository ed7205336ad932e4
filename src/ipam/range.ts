import { type Cidr, contains, formatCidr, formatIp, type Ip, networkOf, sameIp } from '../cni/address.ts';
import type { ConfigurationValue } from '../cni/configuration-value.ts';
import { ValueError } from '../cni/error.ts';
import { compareIps, lastIpOf, nextIp } from './ip-order.ts';

/** Addresses that are handed out, from `start` to `end`, but never the gateway. */
export interface Range {
  readonly subnet: Cidr;
  readonly start: Ip;
  readonly end: Ip;
  readonly gateway: Ip;
}

/** Alternatives: an attachment gets one address of each set. */
export type RangeSet = readonly [Range, ...Range[]];

/**
 * A range with its defaults, in the words of the reference where it is refused. Throws code 7; `set` is the number
 * of its range set.
 */
export function readRange(value: ConfigurationValue, set: number): Range {
  const subnet = value.key('subnet').cidr();
  if (subnet === undefined) throw value.key('subnet').error('');
  const refuse = (key: string, reason: string) => refusal(value.key(key).path, set, reason);
  const text = formatCidr(subnet);
  const { prefixLength } = subnet;
  if (prefixLength > subnet.ip.length * 8 - 2)
    throw refuse('subnet', `Network ${text} too small to allocate from`);
  const network = networkOf(subnet).ip;
  if (!sameIp(network, subnet.ip)) {
    throw refuse(
      'subnet',
      `Network has host bits set. For a subnet mask of length ${prefixLength} the network address is ${formatIp(network)}`,
    );
  }
  const gateway = value.key('gateway').ip() ?? nextIp(network);
  const start = value.key('rangeStart').ip() ?? nextIp(network);
  if (!contains(subnet, start))
    throw refuse('rangeStart', `RangeStart ${formatIp(start)} not in network ${text}`);
  const end = value.key('rangeEnd').ip() ?? lastIpOf(subnet);
  if (!contains(subnet, end)) throw refuse('rangeEnd', `RangeEnd ${formatIp(end)} not in network ${text}`);
  if (compareIps(end, start) < 0) {
    // The reference says no more than this of a range that ends before it begins.
    const [key, name, ip]: [string, string, Ip] = value.key('rangeStart').isAbsent
      ? ['rangeEnd', 'RangeEnd', end]
      : ['rangeStart', 'RangeStart', start];
    throw refuse(key, `${name} ${formatIp(ip)} not in network ${text}: rangeEnd is before rangeStart`);
  }
  return { subnet, start, end, gateway };
}

/** The alternatives of one set. Throws code 7 when there is none, or when they have two families or overlap. */
export function readRangeSet(path: string, values: readonly ConfigurationValue[], set: number): RangeSet {
  const [first, ...others] = values.map((value) => readRange(value, set));
  if (first === undefined) throw refusal(path, set, 'empty range set');
  const ranges: RangeSet = [first, ...others];
  if (others.some(({ start }) => start.length !== first.start.length)) {
    throw refusal(path, set, 'mixed address families');
  }
  for (const [index, one] of ranges.entries()) {
    const other = ranges.slice(index + 1).find((range) => overlap(one, range));
    if (other) throw refusal(path, set, `subnets ${formatRange(one)} and ${formatRange(other)} overlap`);
  }
  return ranges;
}

/** Whether an address of the one may be handed out of the other, too. */
export function overlapping(one: RangeSet, other: RangeSet): boolean {
  return one.some((range) => other.some((candidate) => overlap(range, candidate)));
}

export function rangeOf(ranges: RangeSet, ip: Ip): Range | undefined {
  return ranges.find((range) => isIn(range, ip));
}

/** As the reference writes a set in its errors: `10.1.0.1-10.1.0.254,10.2.0.1-10.2.0.254`. */
export function formatRanges(ranges: RangeSet): string {
  return ranges.map(formatRange).join(',');
}

/** How many addresses the set can hand out. */
export function sizeOf(ranges: RangeSet): bigint {
  return ranges.reduce((size, range) => {
    const { start, end, gateway } = range;
    return size + numberOf(end) - numberOf(start) + (isIn(range, gateway) ? 0n : 1n);
  }, 0n);
}

function numberOf(ip: Ip): bigint {
  return BigInt(`0x${Buffer.from(ip).toString('hex')}`);
}

function isIn({ start, end }: Range, ip: Ip): boolean {
  return ip.length === start.length && compareIps(ip, start) >= 0 && compareIps(ip, end) <= 0;
}

function overlap(one: Range, other: Range): boolean {
  return isIn(one, other.start) || isIn(other, one.start);
}

function formatRange({ start, end }: Range): string {
  return `${formatIp(start)}-${formatIp(end)}`;
}

function refusal(path: string, set: number, reason: string): ValueError {
  return new ValueError(path, `${path}: invalid range set ${set}: ${reason}`);
}

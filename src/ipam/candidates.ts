import { type Ip, sameIp } from '../cni/address.ts';
import { lastOfBlock } from './block.ts';
import { compareIps, nextIp } from './ip-order.ts';
import { type Range, type RangeSet, rangeOf } from './range.ts';

/** An address that may be handed out, and the range that it is from. */
export interface Candidate {
  readonly ip: Ip;
  readonly range: Range;
}

/** What is known of an address: whether it is leased, and whether all of its block of 64 are. */
export type Known = (ip: Ip) => { readonly isLeased: boolean; readonly isFull: boolean };

/**
 * The addresses of a set that are not known to be leased, in the order of the reference: behind the one that was last
 * taken to the end of its range, through the other ranges of the set, and round to that one again. So an address rests
 * as long as it can before it is somebody else's. Gateways are left out. When the last one is not in the set, or not
 * known, the search begins with the first.
 */
export function* candidates(set: RangeSet, last: Ip | undefined, known?: Known): Generator<Candidate> {
  for (const { range, from, to } of stretches(set, last)) {
    for (let ip = from; ; ip = nextIp(ip)) {
      const { isLeased, isFull } = known?.(ip) ?? { isLeased: false, isFull: false };
      if (isFull) ip = lastOfBlock(ip);
      else if (!isLeased && !sameIp(ip, range.gateway)) yield { ip, range };
      if (compareIps(ip, to) >= 0) break;
    }
  }
}

interface Stretch {
  readonly range: Range;
  readonly from: Ip;
  readonly to: Ip;
}

function stretches(set: RangeSet, last: Ip | undefined): Stretch[] {
  const whole = (range: Range) => ({ range, from: range.start, to: range.end });
  const range = last && rangeOf(set, last);
  if (last === undefined || range === undefined) return set.map(whole);
  const place = set.indexOf(range);
  const around = [...set.slice(place + 1), ...set.slice(0, place)].map(whole);
  const upToLast = { range, from: range.start, to: last };
  if (sameIp(last, range.end)) return [...around, upToLast];
  return [{ range, from: nextIp(last), to: range.end }, ...around, upToLast];
}

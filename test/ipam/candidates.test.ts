import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatIp, parseIp } from '../../src/cni/address.ts';
import { isFull, noBits, withBit } from '../../src/ipam/block.ts';
import { candidates } from '../../src/ipam/candidates.ts';
import { readHostLocal } from '../../src/ipam/host-local-settings.ts';
import type { RangeSet } from '../../src/ipam/range.ts';
import { configurationOf } from './pool.ts';

function setOf(...ranges: object[]): RangeSet {
  const { sets } = readHostLocal(configurationOf({ ipam: { ranges: [ranges] } }), '');
  return sets[0] as RangeSet;
}

function orderOf(set: RangeSet, last?: string, limit = 1000): string[] {
  const found: string[] = [];
  for (const { ip } of candidates(set, last === undefined ? undefined : parseIp(last))) {
    found.push(formatIp(ip));
    if (found.length === limit) break;
  }
  return found;
}

const small = setOf({ subnet: '10.1.0.0/29' });
const two = setOf({ subnet: '10.1.0.0/30' }, { subnet: '10.2.0.0/29', rangeStart: '10.2.0.3' });

test.each([
  [small, undefined, '10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6'],
  [small, '10.1.0.4', '10.1.0.5 10.1.0.6 10.1.0.2 10.1.0.3 10.1.0.4'],
  [small, '10.1.0.6', '10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6'],
  [small, '10.9.0.1', '10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6'],
  [small, 'fd00::1', '10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6'],
  [two, undefined, '10.1.0.2 10.2.0.3 10.2.0.4 10.2.0.5 10.2.0.6'],
  [two, '10.2.0.4', '10.2.0.5 10.2.0.6 10.1.0.2 10.2.0.3 10.2.0.4'],
  [two, '10.1.0.2', '10.2.0.3 10.2.0.4 10.2.0.5 10.2.0.6 10.1.0.2'],
  [setOf({ subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.9' }), '10.1.0.9', '10.1.0.9'],
  [setOf({ subnet: '10.1.0.0/24', rangeStart: '10.1.0.1', rangeEnd: '10.1.0.1' }), undefined, ''],
  [
    setOf({ subnet: '255.255.255.0/24', rangeEnd: '255.255.255.255', rangeStart: '255.255.255.254' }),
    '255.255.255.255',
    '255.255.255.254 255.255.255.255',
  ],
])('the order of a set', (set, last, order) => {
  expect(orderOf(set, last).join(' ')).toBe(order);
});

test('a /64 is not enumerated', () => {
  const set = setOf({ subnet: 'fd00::/64' });
  expect(orderOf(set, 'fd00::ffff:ffff:ffff:fffe', 3)).toEqual([
    'fd00::ffff:ffff:ffff:ffff',
    'fd00::2',
    'fd00::3',
  ]);
});

/** What the reference's iterator does, with numbers for addresses: from one to the next, round to where it began. */
function model(ranges: [number, number][], gateways: Set<number>, last: number | undefined): number[] {
  const all = ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  );
  const begin = last === undefined ? 0 : all.indexOf(last) + 1;
  return [...all.slice(begin), ...all.slice(0, begin)].filter((ip) => !gateways.has(ip));
}

test('is the order of the model, whatever is known to be leased', () => {
  const range = fc
    .tuple(fc.nat(250), fc.nat(250))
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
  fc.assert(
    fc.property(
      fc.array(fc.record({ range, gateway: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(767), { nil: undefined }),
      fc.array(fc.record({ from: fc.nat(767), length: fc.integer({ min: 1, max: 200 }) }), { maxLength: 5 }),
      (parts, last, runs) => {
        const text = (ip: number) => `10.1.${ip >> 8}.${ip & 255}`;
        const set = setOf(
          ...parts.map(({ range: [from, to], gateway }, index) => ({
            subnet: `10.1.${index}.0/24`,
            rangeStart: text(index * 256 + (from ?? 0)),
            rangeEnd: text(index * 256 + (to ?? 0)),
            gateway: text(index * 256 + gateway),
          })),
        );
        const ranges = parts.map(({ range: [from = 0, to = 0] }, index): [number, number] => [
          index * 256 + from,
          index * 256 + to,
        ]);
        const leased = new Set(
          runs.flatMap(({ from, length }) => Array.from({ length }, (_, index) => from + index)),
        );
        const gateways = new Set(parts.map(({ gateway }, index) => index * 256 + gateway));
        const inSet = last !== undefined && ranges.some(([from, to]) => last >= from && last <= to);
        const expected = model(ranges, gateways, inSet ? last : undefined).filter((ip) => !leased.has(ip));

        const known = (ip: Uint8Array) => {
          const number = (ip[2] as number) * 256 + (ip[3] as number);
          const block = Array.from({ length: 64 }, (_, index) => number - (number % 64) + index);
          const bits = block.reduce(
            (sum, one) => withBit(sum, Uint8Array.of(one & 255), leased.has(one)),
            noBits,
          );
          return { isLeased: leased.has(number), isFull: isFull(bits) };
        };
        const lastIp = last === undefined ? undefined : parseIp(text(last));
        const found = [...candidates(set, lastIp, known)].map(
          ({ ip }) => (ip[2] as number) * 256 + (ip[3] as number),
        );
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 100 },
  );
});

import { expect, test } from 'bun:test';
import { decodeChain } from '../../../src/kernel/nftables/chain.ts';
import { decodeElements } from '../../../src/kernel/nftables/element.ts';
import { decodeRule } from '../../../src/kernel/nftables/rule.ts';
import { decodeSet, type SetType } from '../../../src/kernel/nftables/set.ts';
import { decodeTable } from '../../../src/kernel/nftables/table.ts';
import { capturedPayloads } from '../netlink/captured.ts';
import { expectNoCrash } from '../netlink/mutation.ts';
import {
  chains,
  elements,
  hostport4,
  masquerade4,
  masquerade6,
  pairs,
  plain,
  ports,
  ranges,
  rules,
} from './shop.ts';

const captured = (name: string, type: number): Buffer[] =>
  capturedPayloads(`../nftables/${name}`, 0xa00 | type);
const tables = captured('tables', 0);
const chainPayloads = captured('chains', 3);
const rulePayloads = captured('rules', 6);
const sets = captured('sets', 9);

test('tables', () => {
  expect(tables.map(decodeTable)).toMatchObject([
    { family: 'inet', table: 'shop', comment: 'of a test' },
    { family: 'bridge', table: 'shop' },
  ]);
  expect(tables.map((payload) => 'owner' in decodeTable(payload))).toEqual([false, false]);
});

test('chains', () => {
  expect(chainPayloads.map(decodeChain)).toMatchObject(
    chains.map(([name, options]) => ({ ...name, ...options })),
  );
  // Four rules, a jump of the map's element and one of a rule.
  expect(decodeChain(chainPayloads[0]!)).toMatchObject({ chain: 'subnet', use: 6 });
});

test('rules', () => {
  const found = rulePayloads.map(decodeRule);
  const wanted = rules.map(([name, expressions, comment]) => ({
    ...name,
    // What the kernel adds to what it was given.
    expressions: expressions.map((one) =>
      one.name === 'masq' && one.flags === undefined ? { name: 'masq' } : one,
    ),
    ...(comment === undefined ? {} : { comment }),
  }));
  expect(found.map(({ handle, userData, ...rule }) => plain(rule))).toEqual(wanted.map(plain));
  expect(found.every(({ handle }) => handle > 0)).toBe(true);
});

test.each<SetType & { comment?: string; interval?: boolean }>([
  { ...masquerade4, comment: 'by source' },
  hostport4,
  masquerade6,
  { ...ranges, interval: true },
  ports,
  pairs,
])('set $set', (set) => {
  expect(sets.map(decodeSet)).toContainEqual({
    handle: expect.any(Number),
    interval: false,
    ...set,
  } as never);
});

test.each([
  ['masquerade4', masquerade4, 2],
  ['hostport4', hostport4, 1],
  ['pairs', pairs, 1],
])('elements of %s', (name, set, count) => {
  const found = captured(name, 12).flatMap((payload) => decodeElements(set, payload));
  const wanted = elements.filter(([of]) => of === set).flatMap(([, list]) => list);
  const sorted = (list: unknown[]): string[] => list.map((one) => JSON.stringify(plain(one))).sort();
  expect(found.map(plain)).toEqual(expect.arrayContaining(wanted.map(plain)) as never);
  expect(sorted(found).length).toBe(count);
});

test.each<[string, Buffer[], (payload: Buffer) => unknown]>([
  ['tables', tables, decodeTable],
  ['chains', chainPayloads, decodeChain],
  ['rules', rulePayloads, decodeRule],
  ['sets', sets, decodeSet],
  ['elements', captured('hostport4', 12), (payload) => decodeElements(hostport4, payload)],
  ['elements with verdicts', captured('masquerade4', 12), (payload) => decodeElements(masquerade4, payload)],
])('mutated %s', (_, payloads, decode) => {
  expectNoCrash(payloads, decode);
});

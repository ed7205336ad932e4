import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Difference, differenceOf } from '../../../src/cli/page/tree-difference.ts';
import { type Json, parseJson, stringifyJson } from '../../../src/cni/json.ts';

const difference = (old: unknown, now: unknown) =>
  differenceOf('result', parseJson(JSON.stringify(old)), parseJson(JSON.stringify(now)));

/** `+ ips.1`, one for each that is not the same. */
function marks({ key, mark, parts }: Difference, above = ''): string[] {
  const path = above === '' ? key : `${above}.${key}`;
  if (mark === 'inside') return parts.flatMap((part) => marks(part, path));
  return mark === 'same' ? [] : [`${mark} ${path}`];
}

test('the same is the same', () => {
  expect(difference({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }).mark).toBe('same');
});

test('an interface whose MTU was changed is the same interface, wherever it stands', () => {
  const before = {
    interfaces: [{ name: 'eth0', mtu: 1500 }, { name: 'cni0' }],
    ips: [{ address: '10.0.0.2/24' }],
  };
  const after = {
    interfaces: [{ name: 'cni0' }, { name: 'eth0', mtu: 1400 }, { name: 'eth1' }],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  expect(marks(difference(before, after))).toEqual([
    'changed result.interfaces.1.mtu',
    'added result.interfaces.2',
    'removed result.ips',
    'added result.routes',
  ]);
});

test('of equal elements each has a partner of its own', () => {
  expect(marks(difference([1, 1, 2], [1, 2, 2]))).toEqual(['added result.2', 'removed result.1']);
});

test('digits count', () => {
  const [old, now] = ['9007199254740993', '9007199254740992'].map((text) => parseJson(text));
  expect(differenceOf('', old, now).mark).toBe('changed');
});

test('both documents can be told from it', () => {
  const side = (of: 'old' | 'now') =>
    function read({ mark, parts, ...rest }: Difference): Json | undefined {
      if (mark !== 'inside') return rest[of];
      const there = parts.filter((part) => part.mark !== (of === 'old' ? 'added' : 'removed'));
      if (!Array.isArray(rest[of]))
        return Object.fromEntries(there.map((part) => [part.key, read(part) as Json]));
      return there.map((part) => read(part) as Json);
    };
  const sorted = (value: Json | undefined): unknown => {
    if (Array.isArray(value)) return value.map((one) => JSON.stringify(sorted(one))).sort();
    if (typeof value !== 'object' || value === null) return value;
    return Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]);
  };
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.json({ maxDepth: 3 }), (one, other) => {
      const [old, now] = [parseJson(one), parseJson(other)];
      const found = differenceOf('', old, now);
      expect(sorted(side('old')(found))).toEqual(sorted(old));
      expect(sorted(side('now')(found))).toEqual(sorted(now));
      expect(found.mark === 'same').toBe(stringifyJson(old) === stringifyJson(now));
    }),
  );
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { differencesOf, type Found, otherValues } from '../../src/trace/change.ts';

const address = (object: string, values: Found['values'] = {}): Found => ({
  ...{ kind: 'address', object, of: 'eth0', values },
});

describe('differences', () => {
  const [one, two] = [address('10.0.0.1/8'), address('10.0.0.2/8')];

  test.each<[string, Found[], Found[], object[]]>([
    ['nothing', [one, two], [two, one], []],
    ['what is new', [one], [one, two], [{ now: two }]],
    ['what is gone', [one, two], [two], [{ old: one }]],
    [
      'what has other values',
      [one],
      [address('10.0.0.1/8', { scope: 'link' })],
      [{ old: one, now: address('10.0.0.1/8', { scope: 'link' }) }],
    ],
    ['one of two that are the same', [one, one], [one], [{ old: one }]],
    ['an order that is another', [one, two, one], [one, one, two], []],
  ])('%s', (_, before, after, expected) => {
    expect(differencesOf(before, after)).toEqual(expected as never);
  });

  test('several of one key, and other values: each by itself', () => {
    const route = (via: string): Found => ({
      kind: 'route',
      object: '::/0',
      key: 'route ::/0',
      values: { via },
    });
    expect(differencesOf([route('a'), route('b')], [route('b'), route('c')])).toEqual([
      { old: route('a'), now: route('c') },
    ]);
    expect(differencesOf([route('a')], [route('b'), route('c')])).toEqual([
      { old: route('a') },
      { now: route('b') },
      { now: route('c') },
    ]);
  });

  const anything = fc.array(
    fc
      .record({ object: fc.constantFrom('a', 'b', 'c'), value: fc.nat(2) })
      .map(({ object, value }) => address(object, { value })),
    { maxLength: 8 },
  );

  test('lead from the one to the other', () => {
    const text = (found: Found): string => JSON.stringify(found);
    fc.assert(
      fc.property(anything, anything, (before, after) => {
        const rest = before.map(text);
        for (const { old, now } of differencesOf(before, after)) {
          if (old !== undefined) rest.splice(rest.indexOf(text(old)), 1);
          if (now !== undefined) rest.push(text(now));
        }
        expect(rest.sort()).toEqual(after.map(text).sort());
      }),
    );
  });

  test('back are those there, the other way round', () => {
    fc.assert(
      fc.property(anything, anything, (before, after) => {
        const count = differencesOf(before, after).length;
        expect(differencesOf(after, before).length).toBe(count);
        expect(differencesOf(before, before)).toEqual([]);
      }),
    );
  });
});

test('of changed values only those that are others', () => {
  expect(otherValues({ mtu: 1500, up: true, master: 'cni0' }, { mtu: 1400, up: true })).toEqual({
    mtu: 1500,
    master: 'cni0',
  });
});

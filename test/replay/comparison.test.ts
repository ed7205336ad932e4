import { expect, test } from 'bun:test';
import { type Json, parseJson } from '../../src/cni/json.ts';
import { withChangedValues } from '../../src/replay/changed-values.ts';
import { compare } from '../../src/replay/comparison.ts';
import type { CallOutcome } from '../../src/replay/outcome.ts';

const none: CallOutcome = { result: undefined, error: undefined, duration: 1, steps: [] };
const names = new Map([
  ['/run/netns/a', '<netns>'],
  ['/run/netns/b', '<netns>'],
]);
const json = (value: object) => parseJson(JSON.stringify(value)) as never;

function result(mac: string, veth: string, netns: string, address = '10.1.0.2/16'): CallOutcome {
  const interfaces = [
    { name: veth, mac },
    { name: 'eth0', mac, sandbox: netns },
  ];
  return { ...none, result: json({ interfaces, ips: [{ address }] }) };
}

test('what is drawn by chance, or is about the place, makes no difference', () => {
  const one = result('0a:58:0a:16:00:05', 'veth0123abcd', '/run/netns/a');
  const other = result('5E:3A:9f:00:00:01', 'vethba9d2b65d0f', '/run/netns/b');
  expect(compare(one, other, names)).toMatchObject({ isSame: true, difference: [] });
});

test('another address is one', () => {
  const [one, other] = ['10.1.0.2/16', '10.1.0.3/16'].map((address) =>
    result('', '', '/run/netns/a', address),
  );
  const { isSame, difference } = compare(one!, other!, names);
  expect(isSame).toBe(false);
  expect(difference).toContain('-      "address": "10.1.0.2/16"');
  expect(difference).toContain('+      "address": "10.1.0.3/16"');
});

test('of errors code and message count, and not the record that details name', () => {
  const failed = (code: number, msg: string, details: string) => ({ ...none, error: { code, msg, details } });
  const one = failed(7, 'no /run/netns/a', 'record 0123456789abcdef');
  expect(compare(one, failed(7, 'no /run/netns/b', ''), names).isSame).toBe(true);
  expect(compare(one, failed(8, 'no /run/netns/b', ''), names).isSame).toBe(false);
  expect(compare(one, none, names).difference).toContain('+done');
  expect(compare({ ...none, duration: undefined }, none, names).isSame).toBe(false);
});

test('steps are paired by name, each once', () => {
  const steps = (...pairs: [string, number][]) => ({
    ...none,
    steps: pairs.map(([name, duration]) => ({ name, duration })),
  });
  const one = steps(['a', 1], ['set mac 0a:58:0a:16:00:05', 2], ['a', 3], ['gone', 4]);
  const other = steps(['a', 5], ['a', 6], ['set mac 0a:58:0a:16:00:06', 7], ['new', 8]);
  expect(compare(one, other, names).steps.map(({ recorded, replayed }) => [recorded, replayed])).toEqual([
    [1, 5],
    [2, 7],
    [3, 6],
    [4, undefined],
    [undefined, 8],
  ]);
});

test('values of a recorded result become those of the replayed one, wherever they stand', () => {
  const recorded = json({ cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/16' }] });
  const replayed = json({ cniVersion: '1.1.0', ips: [{ address: '10.1.0.9/16' }] });
  const document = json({ cniVersion: '1.0.0', prevResult: { ips: [{ address: '10.1.0.2/16' }], n: 1 } });
  const changed: Json = withChangedValues(document, recorded, replayed);
  expect(JSON.parse(JSON.stringify(changed))).toEqual({
    cniVersion: '1.0.0',
    prevResult: { ips: [{ address: '10.1.0.9/16' }], n: 1 },
  });
});

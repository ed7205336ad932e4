import { expect, test } from 'bun:test';
import { resultsOfDelegate } from '../../../src/cli/page/delegate-results.ts';
import { resultChanges } from '../../../src/cli/page/result-changes.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../../src/cni/json.ts';

const json = (value: unknown): Json => parseJson(JSON.stringify(value));
const lines = (before: unknown, after: unknown) =>
  resultChanges({ before: before === undefined ? undefined : json(before), after: json(after) }).map(
    ({ sign, text }) => `${sign} ${text}`,
  );

const result = { cniVersion: '1.1.0', interfaces: [{ name: 'eth0' }], ips: [{ address: '10.0.0.2/24' }] };

test('the first of a chain makes everything', () => {
  expect(lines(undefined, { ...result, routes: [{ dst: '0.0.0.0/0', gw: '10.0.0.1' }], dns: {} })).toEqual([
    '+ interface eth0',
    '+ 10.0.0.2/24',
    '+ route 0.0.0.0/0 via 10.0.0.1',
    '+ dns',
  ]);
});

test('one behind it: what it added, changed and left out; a version is no change', () => {
  const after = { ...result, cniVersion: '1.0.0', interfaces: [{ name: 'eth0', mtu: 1400 }], ips: [] };
  expect(lines(result, after)).toEqual(['~ interface eth0', '- 10.0.0.2/24']);
  expect(lines(result, result)).toEqual([]);
  expect(lines(undefined, { constructor: 1 })).toEqual(['+ constructor']);
});

test('the result of a delegate is its stdout, or what the next was given, or the answer of the call', () => {
  const first = { type: 'bridge', command: 'ADD', stdin: {} };
  const second = { type: 'portmap', command: 'ADD', stdin: { prevResult: { ips: [1] } } };
  const undone = { type: 'bridge', command: 'DEL', stdin: { prevResult: { ips: [9] } } };
  const of = (index: number, ...delegates: object[]) => {
    const record = json({ delegates, result: { ips: [2] } });
    const { after } = resultsOfDelegate(isObject(record) ? record : ({} as JsonObject), index);
    return after === undefined ? undefined : JSON.stringify(after);
  };
  expect(of(0, first, second)).toBe('{"ips":[1]}');
  expect(of(1, first, second)).toBe('{"ips":[2]}');
  expect(of(0, { ...first, stdout: '{"ips":[3]}' }, second)).toBe('{"ips":[3]}');
  expect(of(0, first, undone)).toBe('{"ips":[2]}');
  expect(of(0, { ...first, failure: 'no' }, second)).toBeUndefined();
  expect(of(1, first, undone)).toBeUndefined();
  expect(of(7, first)).toBeUndefined();
});

import { expect, test } from 'bun:test';
import { CallSummary } from '../../src/trace/call-summary.ts';
import { type Recorded, recorded } from './recorded.ts';

/** The rows for records that were written in this order. */
function summaryOf(...written: Recorded[]) {
  const summary = new CallSummary();
  summary.addAll(written.map(recorded).reverse());
  return summary.rows();
}

test('calls, errors and quantiles of every plugin and command', () => {
  const durations = Array.from({ length: 100 }, (_, index) => ({ duration: index + 1 }));
  const rows = summaryOf(...durations, { command: 'DEL', duration: 3, error: { code: 7, msg: 'no' } });
  expect(rows).toEqual([
    { plugin: 'debug', command: 'ADD', calls: 100, errors: 0, unended: 0, p50: 50, p95: 95, max: 100 },
    { plugin: 'debug', command: 'DEL', calls: 1, errors: 1, unended: 0, p50: 3, p95: 3, max: 3 },
  ]);
});

test('what ran inside a plugin stands below it, in the order of commands', () => {
  const delegates = [
    { type: 'portmap', command: 'ADD', duration: 5, failure: 'full' },
    { type: 'bridge', command: 'DEL', duration: 2 },
    { type: 'bridge', command: 'ADD', duration: 4 },
  ];
  const rows = summaryOf({ plugin: 'other' }, { delegates }, { delegates, command: 'STATUS' });
  expect(
    rows.map(({ plugin, inside, command, calls, errors }) => [plugin, inside, command, calls, errors]),
  ).toEqual([
    ['debug', undefined, 'ADD', 1, 0],
    ['debug', undefined, 'STATUS', 1, 0],
    ['bridge', 'debug', 'ADD', 2, 0],
    ['bridge', 'debug', 'DEL', 2, 0],
    ['portmap', 'debug', 'ADD', 2, 2],
    ['other', undefined, 'ADD', 1, 0],
  ]);
});

test('a call that never ended is told apart', () => {
  const begin = { kind: 'begin', id: 'a', duration: undefined };
  expect(summaryOf(begin, { id: 'a' })).toMatchObject([{ calls: 1, unended: 0 }]);
  expect(summaryOf(begin, { id: 'b' })).toMatchObject([{ calls: 1, unended: 1 }]);
  expect(summaryOf(begin)).toEqual([
    {
      plugin: 'debug',
      command: 'ADD',
      calls: 0,
      errors: 0,
      unended: 1,
      p50: undefined,
      p95: undefined,
      max: undefined,
    },
  ]);
});

test('many calls at once', () => {
  const ids = Array.from({ length: 200 }, (_, index) => `${index}`);
  const begins = ids.map((id) => ({ kind: 'begin', id, duration: undefined }));
  expect(summaryOf(...begins, ...ids.map((id) => ({ id })))).toMatchObject([{ calls: 200, unended: 0 }]);
});

test('what is damaged is not counted', () => {
  const delegates = [
    null,
    {},
    { type: 5, command: 'ADD' },
    { type: 'bridge', command: 'ADD', duration: 'long' },
  ];
  expect(summaryOf({ duration: 'long', delegates })).toMatchObject([
    { plugin: 'debug', calls: 1, p50: undefined },
    { plugin: 'bridge', calls: 1, max: undefined },
  ]);
});

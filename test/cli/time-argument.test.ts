import { describe, expect, test } from 'bun:test';
import { InvalidArgumentError } from 'commander';
import { durationArgument, timeArgument } from '../../src/cli/time-argument.ts';

/** Of the clock of whatever zone the test runs in. */
const now = new Date(2026, 10, 28, 15, 30, 45, 500);

describe('a time', () => {
  test.each([
    ['10m', new Date(now.getTime() - 600_000)],
    ['-10m', new Date(now.getTime() - 600_000)],
    ['2h ago', new Date(now.getTime() - 7_200_000)],
    ['1h30m', new Date(now.getTime() - 5_400_000)],
    ['1.5s', new Date(now.getTime() - 1500)],
    ['1w', new Date(now.getTime() - 7 * 86_400_000)],
    ['now', now],
    ['today', new Date(2026, 10, 28)],
    ['yesterday', new Date(2026, 10, 27)],
    ['09:05', new Date(2026, 10, 28, 9, 5)],
    ['09:05:07', new Date(2026, 10, 28, 9, 5, 7)],
    ['2026-11-20', new Date(2026, 10, 20)],
    ['2026-11-20 10:11', new Date(2026, 10, 20, 10, 11)],
    ['2026-11-20T10:11:12.5', new Date(2026, 10, 20, 10, 11, 12, 500)],
    ['2024-02-29', new Date(2024, 1, 29)],
    ['2026-11-20T10:11:12Z', new Date(Date.UTC(2026, 10, 20, 10, 11, 12))],
    ['2026-11-20t10:11:12.123456789z', new Date(Date.UTC(2026, 10, 20, 10, 11, 12, 123))],
    ['2026-11-20 10:11:12+02:00', new Date(Date.UTC(2026, 10, 20, 8, 11, 12))],
  ])('%s', (text, expected) => {
    expect(timeArgument(text, now)).toEqual(expected);
  });

  test.each([
    '',
    ' ',
    '10',
    '10x',
    'm',
    '1h 30m',
    '25:00',
    '12:60',
    '2026-13-01',
    '2026-02-30',
    '2026-02-30T10:00:00Z',
    '2026-11-20T25:00:00Z',
    '2026-11-20T10:11Zulu',
    '20261120',
    'tomorrow',
  ])('%j is none', (text) => {
    expect(() => timeArgument(text, now)).toThrow(InvalidArgumentError);
  });
});

test.each([
  ['500ms', 500],
  ['1.5s', 1500],
  ['1m30s', 90_000],
  ['0ms', 0],
])('a duration: %s', (text, ms) => {
  expect(durationArgument(text)).toBe(ms);
});

test.each(['', '5', '-5s', 's', '5 s', '5y'])('%j is no duration', (text) => {
  expect(() => durationArgument(text)).toThrow(InvalidArgumentError);
});

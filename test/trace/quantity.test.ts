import { describe, expect, test } from 'bun:test';
import { parseDuration, parseSize } from '../../src/trace/quantity.ts';

describe('parseSize', () => {
  test.each([
    ['1B', 1],
    ['1KB', 1024],
    ['2KiB', 2048],
    ['16MB', 16_777_216],
    ['64MiB', 67_108_864],
    ['1GB', 1_073_741_824],
    ['3GiB', 3_221_225_472],
    ['9007199254740991B', Number.MAX_SAFE_INTEGER],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    '',
    '16',
    'MB',
    '0MB',
    '-1MB',
    '+1MB',
    '1.5MB',
    '1e3B',
    '016MB',
    '1 MB',
    ' 1MB',
    '1MB\n',
    '1mb',
    '1TB',
  ])('%p is malformed', (text) => expect(parseSize(text)).toBeUndefined());

  test.each(['9007199254740992B', '9007199254740991GB', `${'9'.repeat(400)}B`, '1toString', '1constructor'])(
    '%p is too much, or no unit',
    (text) => expect(parseSize(text)).toBeUndefined(),
  );
});

describe('parseDuration', () => {
  test.each([
    ['1ms', 1],
    ['500ms', 500],
    ['10s', 10_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['2147483647ms', 2_147_483_647],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '10', 's', '0s', '-1s', '1.5s', '1m30s', '10 s', '10S', '1d', '1us', 'Infinityms'])(
    '%p is malformed',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  test.each(['2147483648ms', '25h25h', '600h', '99999999999999999999s'])('%p is no wait of a timer', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

import { expect, test } from 'bun:test';
import { durationText } from '../../src/cli/duration-text.ts';
import { timeText } from '../../src/cli/time-text.ts';

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

test.each([
  [0, '0 ms'],
  [0.004, '0.00 ms'],
  [0.619, '0.62 ms'],
  [9.994, '9.99 ms'],
  [9.996, '10.0 ms'],
  [55.229, '55.2 ms'],
  [99.96, '100 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [12.34 * second, '12.3 s'],
  [59.99 * second, '60.0 s'],
  [minute, '1 m 0 s'],
  [2 * minute + 3 * second, '2 m 3 s'],
  [hour - 600, '59 m 59 s'],
  [hour - 400, '1 h 0 m'],
  [3 * hour + 4 * minute, '3 h 4 m'],
  [day, '1 d 0 h'],
  [400 * day + 5 * hour, '400 d 5 h'],
])('%p ms: %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('a time says its zone', () => {
  const script = `import { timeText } from '${import.meta.dir}/../../src/cli/time-text.ts'; console.log(timeText(1795826577226.4))`;
  const inZone = (TZ: string) =>
    Bun.spawnSync([process.execPath, '-e', script], { env: { TZ } }).stdout.toString().trim();
  expect(inZone('Asia/Kolkata')).toBe('2026-11-28 06:12:57.226 +05:30');
  expect(inZone('America/New_York')).toBe('2026-11-27 19:42:57.226 -05:00');
  expect(inZone('UTC')).toBe('2026-11-28 00:42:57.226 +00:00');
  expect(timeText(0)).toMatch(/^(1970-01-01|1969-12-31) /);
});

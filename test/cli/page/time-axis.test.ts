import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { clockText, ticksOf, tickText, zoneText } from '../../../src/cli/page/time-axis.ts';

test.each([
  [0, 100, 5, [0, 20, 40, 60, 80, 100]],
  [0, 190, 5, [0, 50, 100, 150]],
  [12, 13, 4, [12, 12.5, 13]],
  [0.3, 0.31, 2, [0.3, 0.305, 0.31]],
  [0, 0, 5, [0]],
])('from %p to %p, about %p marks: %p', (from, to, about, ticks) => {
  expect(ticksOf(from, to, about)).toEqual(ticks);
});

test('marks are inside, in order, and never many', () => {
  const times = fc.double({ min: 0, max: 1e7, noNaN: true });
  fc.assert(
    fc.property(
      times,
      fc.double({ min: 1e-3, max: 1e7, noNaN: true }),
      fc.integer({ min: 1, max: 40 }),
      (from, length, about) => {
        const ticks = ticksOf(from, from + length, about);
        expect(ticks.length).toBeLessThanOrEqual(about + 1);
        expect(ticks).toEqual([...ticks].sort((one, other) => one - other));
        const slop = length * 1e-6 + from * 1e-9;
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(from - slop);
          expect(tick).toBeLessThanOrEqual(from + length + slop);
        }
      },
    ),
  );
});

test('texts of marks', () => {
  expect([0, 0.1 + 0.2, 20].map((ms) => tickText(ms, 20))).toEqual(['0', '0.3 ms', '20 ms']);
  expect([0, 500, 2500].map((ms) => tickText(ms, 2500))).toEqual(['0', '0.5 s', '2.5 s']);
});

test.each([
  [0, '12:00:00.250', '+00:00'],
  [330, '17:30:00.250', '+05:30'],
  [-210, '08:30:00.250', '-03:30'],
])('at %p minutes from UTC it is %s', (offset, clock, zone) => {
  expect(clockText(Date.parse('2026-11-20T12:00:00.250Z'), offset)).toBe(clock);
  expect(zoneText(offset)).toBe(zone);
});

import { describe, expect, test } from 'bun:test';
import { ascii, blocks, timeBar } from '../../src/cli/time-bar.ts';

describe('a bar', () => {
  test.each([
    [0, 1, '████████'],
    [0, 0.5, '████    '],
    [0.5, 1, '    ████'],
    [0, 0.5625, '████▌   '],
    [0.5625, 1, '    ▐███'],
    [0.59, 1, '    ▐███'],
    [0.62, 1, '    ▕███'],
    [0.5, 0.5, '    ▏   '],
    [1, 1, '       ▕'],
    [0.3, 0.301, '  ▏     '],
    [-5, 9, '████████'],
    [Number.NaN, Number.NaN, '▏       '],
  ])('from %p to %p: %s', (from, to, bar) => {
    expect(timeBar(from, to, 8, 'span', blocks)).toBe(bar);
  });

  test.each([
    [0, 1, '========'],
    [0.5, 0.5, '    |   '],
    [0.25, 0.5, '  ==    '],
    [0.62, 1, '    |==='],
  ])('in ASCII from %p to %p: %s', (from, to, bar) => {
    expect(timeBar(from, to, 8, 'span', ascii)).toBe(bar);
  });

  test('of what nobody has recorded, and of what has no end', () => {
    expect(timeBar(0.25, 0.5, 8, 'gap', blocks)).toBe('  ░░    ');
    expect(timeBar(0.25, 0.25, 8, 'gap', ascii)).toBe('  .     ');
    expect(timeBar(0.25, 0.9, 8, 'open', blocks)).toBe('  ▸     ');
    expect(timeBar(1, 1, 8, 'open', ascii)).toBe('       >');
  });

  test('always has its width', () => {
    for (let from = 0; from <= 1; from += 0.013)
      for (let to = from; to <= 1; to += 0.017)
        for (const kind of ['span', 'gap', 'open'] as const)
          expect([...timeBar(from, to, 11, kind, blocks)]).toHaveLength(11);
  });
});

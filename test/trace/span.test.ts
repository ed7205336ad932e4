import { expect, test } from 'bun:test';
import { mergeSpans, replaceSpans } from '../../src/trace/span.ts';

const span = (start: number, end: number, replacement = '*') => ({ start, end, replacement });

test('spans that overlap become one, with the replacement of the first, or of the longer of two', () => {
  expect(mergeSpans([span(4, 6), span(0, 2), span(1, 3, 'x')])).toEqual([span(0, 3), span(4, 6)]);
  expect(mergeSpans([span(0, 2, 'short'), span(0, 5, 'long')])).toEqual([span(0, 5, 'long')]);
  expect(mergeSpans([span(0, 9), span(3, 4), span(9, 10)])).toEqual([span(0, 9), span(9, 10)]);
});

test('what is in no span stays', () => {
  expect(replaceSpans('token=abc x', [span(6, 9, '[redacted]')])).toBe('token=[redacted] x');
  expect(replaceSpans('abc', [])).toBe('abc');
  expect(replaceSpans('abc', [span(0, 1), span(2, 3)])).toBe('*b*');
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { visible } from '../../src/trace/visible-text.ts';

test.each([
  ['plain text, umlauts: äöü, 日本', 'plain text, umlauts: äöü, 日本'],
  ['two\nlines\r\n\tand a tab', 'two\\nlines\\r\\n\\tand a tab'],
  ['\u001b[31mred\u001b[0m', '\\e[31mred\\e[0m'],
  ['\u0000\u007f\u009b', '\\u0000\\u007f\\u009b'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['\u2066a\u2069\u200b\ufeff\u2028', '\\u2066a\\u2069\\u200b\\ufeff\\u2028'],
])('%j: %j', (text, expected) => {
  expect(visible(text)).toBe(expected);
});

test('nothing that is left controls anything', () => {
  const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
    expect(visible(text)).not.toMatch(/[\p{Cc}\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
  });
  fc.assert(property);
});

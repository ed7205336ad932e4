import { expect, test } from 'bun:test';
import { excerpt, trim } from '../../src/runtime/excerpt.ts';

test.each([
  ['one line\n', '"one line"'],
  ['1\n2\r\n\n3\n4\n5\n6', '"1\\n2\\n3\\n4\\n5\\n6"'],
  ['1\n2\n3\n4\n5\n6\n7', '"1\\n2\\n3\\n…\\n5\\n6\\n7"'],
  ['\u001b[31mred\u009b \ufeff', '"\\u001b[31mred\\u009b \\ufeff"'],
])('%j', (text, quoted) => {
  expect(excerpt(text)).toBe(quoted);
});

test('long lines and long texts are cut', () => {
  expect(excerpt('x'.repeat(201))).toBe(`"${'x'.repeat(199)}…"`);
  const text = `first\n${'line\n'.repeat(1_000_000)}last`;
  expect(excerpt(text)).toBe('"first\\nline\\nline\\n…\\nline\\nline\\nlast"');
});

test('white space is what JSON says it is, and a long gap takes no time', () => {
  expect(trim(' \t\r\n\ufeff\u00a0\n')).toBe('\ufeff\u00a0');
  const gap = `a${' '.repeat(4_000_000)}b`;
  expect(trim(gap)).toBe(gap);
});

import { expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { wrapped } from '../../src/trace/wrapped-text.ts';

test.each([
  ['short', 10, 'short'],
  ['one two three four', 10, 'one two\n  three\n  four'],
  ['    indented one two', 15, '    indented\n  one two'],
  ['a-word-that-is-too-long for it', 10, 'a-word-that-is-too-long\n  for it'],
  ['\u001b[31mone two\u001b[39m', 7, '\u001b[31mone two\u001b[39m'],
])('%j in %p', (line, width, expected) => {
  expect(wrapped(line, width, 2)).toBe(expected);
});

test('no line is too long unless a word is, and no word is lost', () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  const property = fc.property(
    fc.array(word, { minLength: 1 }),
    fc.integer({ min: 8, max: 40 }),
    (words, width) => {
      const lines = wrapped(words.join(' '), width, 2).split('\n');
      expect(lines.join(' ').split(/ +/)).toEqual(words);
      for (const line of lines) {
        if (line.trim().includes(' '))
          expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
      }
    },
  );
  fc.assert(property);
});

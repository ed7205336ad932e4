import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeEscapes, spansInEscaped } from '../../src/trace/escaped-text.ts';
import { replaceSpans } from '../../src/trace/span.ts';

describe('decodeEscapes', () => {
  test('decodes what JSON.parse decodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeEscapes(JSON.stringify(text).slice(1, -1))).toBe(text);
      }),
    );
  });

  test.each([
    ['\\/\\b\\f\\n\\r\\t\\"\\\\', '/\b\f\n\r\t"\\'],
    ['\\u00e9\\uD83D\\ude00', 'é😀'],
    ['C:\\dir\\x', 'C:\\dir\\x'],
    ['\\u12', '\\u12'],
    ['\\u12G4\\', '\\u12G4\\'],
    ['\\\\n', '\\n'],
  ])('%p', (raw, decoded) => expect(decodeEscapes(raw)).toBe(decoded));
});

describe('spansInEscaped', () => {
  test('finds a part of the decoded text where it stands in the escaped one', () => {
    const part = fc.oneof(fc.string(), fc.stringMatching(/^(?:\\|"|\n|é|u00e9|x){0,8}$/));
    fc.assert(
      fc.property(part, part, part, part, part, (a, b, c, d, e) => {
        const raw = JSON.stringify(a + b + c + d + e).slice(1, -1);
        const second = a.length + b.length + c.length;
        const spans = [
          { start: a.length, end: a.length + b.length, replacement: '"1"' },
          { start: second, end: second + d.length, replacement: '\n' },
        ];
        const replaced = replaceSpans(raw, spansInEscaped(raw, spans));
        expect(JSON.parse(`"${replaced}"`)).toBe(replaceSpans(a + b + c + d + e, spans));
      }),
    );
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LintDocument } from '../../src/lint/document.ts';
import { placeOf } from '../../src/lint/place.ts';

const text = `{
  "name": "net",
  "plugins": [
    { "type": "bridge" },
    { "Type": "x", "ipam": { "ranges": [[{ "subnet": "10.1.0.0/16" }]] },
      "cni.dev/attachments": [ 1 ], "cni": { "dev": 2 }, "twice": 1, "twice": 22 }
  ]
}`;

function at(path: string, side?: 'key' | 'value'): string {
  const document = LintDocument.read(text) as LintDocument;
  const { line, column, length } = placeOf(text, document.extent(path, side));
  return `${line}:${column}+${length}`;
}

describe('a path is found', () => {
  test.each([
    ['', undefined, '1:1+1'],
    ['name', undefined, '2:11+5'],
    ['name', 'key', '2:3+6'],
    ['plugins[0].type', undefined, '4:15+8'],
    ['plugins[1]', undefined, '5:5+69'],
    ['plugins[1].ipam.ranges[0][0].subnet', undefined, '5:54+13'],
    ['plugins[1].ipam.ranges[0][0].subnet', 'key', '5:44+8'],
    ['plugins[1].cni.dev/attachments[0]', undefined, '6:32+1'],
    ['plugins[1].cni.dev', undefined, '6:53+1'],
    ['plugins[1].twice', undefined, '6:79+2'],
  ] as const)('%s (%s): %s', (path, side, place) => {
    expect(at(path, side)).toBe(place);
  });

  test('in any spelling, as Go looks keys up', () => {
    expect(at('PLUGINS[1].type')).toBe(at('plugins[1].Type'));
  });
});

test.each([
  ['plugins[1].ipam.type', '5:28+1'],
  ['plugins[7].type', '3:14+1'],
  ['missing', '1:1+1'],
  ['name.inside', '2:11+5'],
  ['names', '1:1+1'],
])('of what is not there, what lacks it: %s', (path, place) => {
  expect(at(path)).toBe(place);
});

test.each([
  ['', 'the file is empty', '1:1'],
  [' \n\n', 'the file is empty', '1:1'],
  ['\ufeff{}', 'byte order mark', '1:1'],
  ['{\n  // why\n}', 'no comments', '2:3'],
  ['{\n  # why\n}', 'no comments', '2:3'],
  ['{ "a": 1, /* */ "b": 2 }', 'no comments', '1:11'],
  ['{ "a": [1,\n ] }', 'a comma stands before "]"', '1:10'],
  ['{ "a": 1, }', 'a comma stands before "}"', '1:9'],
  ["{ 'a': 1 }", 'double quotes', '1:3'],
  ['{ "a": 1 "b": 2 }', 'a comma is missing', '1:8'],
  ['{ "a": {} \n "b": 2 }', 'a comma is missing', '1:9'],
  ['{ "a": 1', 'ends too early', '1:8'],
  ['{ "a": "x', 'ends too early', '1:9'],
  ['{ "a": 01 }', 'expected "," or "}"', '1:9'],
  ['{ "a": tru }', 'unexpected "t"', '1:8'],
  ['{} {}', 'more after the JSON value', '1:4'],
  ['[]', 'no object', '1:1'],
  ['\n 5', 'no object', '2:2'],
  [`{"a":${'['.repeat(2000)}`, 'nested too deep', '1:1005'],
])('%j is no JSON object: %s, at %s', (text, message, place) => {
  const defect = LintDocument.read(text);
  if (defect instanceof LintDocument) throw new Error('it was read');
  expect(defect.message).toContain(message);
  const { line, column } = placeOf(text, defect.extent);
  expect(`${line}:${column}`).toBe(place);
});

test('a place is on a line of the text, whatever the text', () => {
  const lines = fc.array(fc.string(), { minLength: 1 }).map((parts) => parts.join('\n'));
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(50), (text, seed, length) => {
      const offset = text === '' ? 0 : seed % (text.length + 1);
      const place = placeOf(text, { offset, length });
      const line = text.split('\n')[place.line - 1] ?? '';
      expect(line.startsWith(place.source)).toBe(true);
      expect(place.column).toBeGreaterThanOrEqual(1);
      expect(place.column).toBeLessThanOrEqual(line.length + 1);
      expect(
        text
          .split('\n')
          .slice(0, place.line - 1)
          .join('\n').length +
          (place.line > 1 ? 1 : 0) +
          place.column -
          1,
      ).toBe(offset);
    }),
  );
});

test('what is read is what the plugins read, and nothing throws, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const read = LintDocument.read(text);
      if (read instanceof LintDocument) expect(read.root.type).toBe('object');
      else expect(read.extent.offset).toBeLessThanOrEqual(text.length);
    }),
  );
});

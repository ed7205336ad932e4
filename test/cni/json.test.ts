import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isObject, JsonNumber, parseJson, parseJsonPrefix, stringifyJson } from '../../src/cni/json.ts';

describe('parseJson', () => {
  test.each([
    ['', 'unexpected the end of the input at line 1, column 1'],
    ['{"a":1,}', 'expected a string but found "}" at line 1, column 8'],
    ['{"a" 1}', 'expected ":" but found "1" at line 1, column 6'],
    ['[1 2]', 'expected "," or "]" but found "2" at line 1, column 4'],
    ['{}\n{}', 'more after the JSON value: "{" at line 2, column 1'],
    ['01', 'more after the JSON value: "1" at line 1, column 2'],
    ['"a\nb"', 'bad string at "\\"" at line 1, column 1'],
    ['"\\x"', 'bad string at "\\"" at line 1, column 1'],
    ['"abc', 'unterminated string at the end of the input at line 1, column 5'],
    ['"abc\\', 'unterminated string at the end of the input at line 1, column 6'],
    ['\u{feff}{}', 'unexpected "\u{feff}" at line 1, column 1'],
    ['NaN', 'unexpected "N" at line 1, column 1'],
  ])('refuses %j', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });

  test('refuses what is nested too deep for the stack, and takes what is deep', () => {
    expect(() => parseJson('['.repeat(1_000_000))).toThrow('nested deeper than 1000 levels');
    expect(parseJson(`${'['.repeat(900)}${']'.repeat(900)}`)).toBeArray();
  });

  test('takes a string of 16 MiB', () => {
    expect(parseJson(`"${'é'.repeat(8 << 20)}"`)).toHaveLength(8 << 20);
  });

  test('__proto__ is a key like any other', () => {
    const text = '{"__proto__":{"polluted":true},"a":1}';
    const object = parseJson(text);
    expect(isObject(object) && object.polluted).toBeUndefined();
    expect(stringifyJson(object)).toBe(text);
  });

  test('the last of two equal keys wins and stands where the last one stood', () => {
    expect(stringifyJson(parseJson('{"a":1,"b":2,"a":3}'))).toBe('{"b":2,"a":3}');
  });

  test.each(['9007199254740993', '-0', '1.0', '1e3', '123456789012345678901234567890', '0.10'])(
    'the number %s keeps its digits',
    (digits) => {
      const value = parseJson(digits);
      expect(value).toBeInstanceOf(JsonNumber);
      expect(stringifyJson([value])).toBe(`[${digits}]`);
      expect(JSON.stringify({ value })).toBe(`{"value":"${digits}"}`);
    },
  );

  test('reads and writes what JSON.parse and JSON.stringify do', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', '    '), (text, indent) => {
        const plain = JSON.parse(text);
        // Numbers that a double cannot hold to the letter are the one difference, and are tested above.
        fc.pre(!/-0\b|e[+-]/i.test(text));
        expect(stringifyJson(parseJson(text), indent)).toBe(JSON.stringify(plain, null, indent));
      }),
    );
  });

  test('never throws anything but a JsonSyntaxError', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0123eE-+.tfn \n') })),
        (text) => {
          try {
            parseJson(text);
          } catch (error) {
            expect((error as Error).name).toBe('JsonSyntaxError');
          }
        },
      ),
    );
  });
});

test('parseJsonPrefix stops after the first value', () => {
  expect(parseJsonPrefix(' {"a":[1]} junk')).toEqual({ value: { a: [1] }, end: 10 } as never);
});

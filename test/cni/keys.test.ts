import { expect, test } from 'bun:test';
import { isObject, type JsonObject, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { lookUp, withKey, withoutKeys, withSpelling } from '../../src/cni/keys.ts';

function object(text: string): JsonObject {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error(`${text} is not an object`);
  return value;
}

// What Go 1.22's encoding/json leaves in a struct field with the tag `json:"prevResult"`.
test.each([
  ['{"prevResult":1}', 1],
  ['{"PREVRESULT":1}', 1],
  ['{"prevResult":1,"prevresult":2}', 2],
  ['{"prevresult":2,"prevResult":1}', 1],
  ['{"prevResult":1,"PrevResult":2,"prevResult":3}', 3],
  ['{"prevRe\u017fult":4}', 4],
  ['{"prev_result":1}', undefined],
])('lookUp in %s finds %p', (text, expected) => {
  expect(lookUp(object(text), 'prevResult')).toBe(expected as never);
});

test('lookUp finds nothing that the document does not have', () => {
  expect(lookUp(object('{}'), 'constructor')).toBeUndefined();
  expect(lookUp(object('{}'), '__proto__')).toBeUndefined();
});

test('withKey replaces every spelling', () => {
  expect(stringifyJson(withKey(object('{"Name":1,"x":2,"name":3}'), 'name', 4))).toBe('{"x":2,"name":4}');
});

test('withoutKeys leaves the rest, __proto__ too', () => {
  expect(stringifyJson(withoutKeys(object('{"__proto__":0,"Name":1,"NAME":2}'), 'name'))).toBe(
    '{"__proto__":0}',
  );
});

test('withSpelling renames the known keys and no other', () => {
  expect(stringifyJson(withSpelling(object('{"CNIVERSION":"1","Other":2}'), ['cniVersion']))).toBe(
    '{"cniVersion":"1","Other":2}',
  );
});

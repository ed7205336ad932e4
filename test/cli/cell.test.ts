import { expect, test } from 'bun:test';
import { cell, columnsOf } from '../../src/cli/cell.ts';

test.each([
  ['abc', 5, 'abc  '],
  ['abcde', 5, 'abcde'],
  ['abcdef', 5, 'abcd…'],
  ['', 2, '  '],
  ['网络网络', 5, '网络…'],
  ['网络网络', 6, '网络… '],
  ['网络', 4, '网络'],
  ['e\u0301tat', 4, 'e\u0301tat'],
  ['e\u0301tats', 4, 'e\u0301ta…'],
  ['🚀🚀🚀', 5, '🚀🚀…'],
])('%s in %i columns: %s', (text, columns, expected) => {
  expect(cell(text, columns, '…')).toBe(expected);
  expect(columnsOf(expected)).toBe(columns);
});

test('an ellipsis may have two characters', () => {
  expect(cell('abcdef', 5, '..')).toBe('abc..');
});

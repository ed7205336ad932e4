import { expect, test } from 'bun:test';
import { constants } from 'node:os';
import * as errno from '../../src/kernel/errno.ts';

test('every name that the runtime knows has the same number here', () => {
  const { EWOULDBLOCK, ENOTSUP, ...names } = constants.errno;
  for (const [name, number] of Object.entries(names)) {
    expect([name, errno.errnoNumber(name)]).toEqual([name, number]);
    expect(errno.errnoName(number)).toBe(name);
  }
  // Second names of EAGAIN and EOPNOTSUPP.
  expect([EWOULDBLOCK, ENOTSUP]).toEqual([11, 95]);
});

test('every constant has the number of its name', () => {
  const named = Object.entries(errno).filter(([name]) => name.startsWith('E'));
  expect(named.length).toBeGreaterThan(5);
  for (const [name, number] of named)
    expect([name, errno.errnoNumber(name)]).toEqual([name, number as number]);
});

test.each([
  [1, 'EPERM', 'Operation not permitted'],
  [17, 'EEXIST', 'File exists'],
  [85, 'ERESTART', 'Interrupted system call should be restarted'],
  [95, 'EOPNOTSUPP', 'Operation not supported'],
  [133, 'EHWPOISON', 'Memory page has hardware error'],
  [0, 'errno 0', 'Unknown error'],
  [524, 'errno 524', 'Unknown error'],
])('%p is %s: %s', (number, name, text) => {
  expect(errno.errnoName(number)).toBe(name);
  expect(errno.errnoText(number)).toBe(text);
});

test('a name that is none has no number', () => {
  expect(errno.errnoNumber('ENONSENSE')).toBeUndefined();
});

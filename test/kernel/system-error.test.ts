import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { SystemError, withSystemError } from '../../src/kernel/system-error.ts';

test('names the call, its object, the text and the name of the error', () => {
  const error = new SystemError('open', 2, '/var/run/netns/x');
  expect(error.message).toBe('open "/var/run/netns/x": No such file or directory (ENOENT)');
  expect(error).toMatchObject({
    name: 'SystemError',
    call: 'open',
    errno: 2,
    code: 'ENOENT',
    target: '/var/run/netns/x',
  });
});

test('some calls act on nothing that has a name', () => {
  expect(new SystemError('unshare', 1).message).toBe('unshare: Operation not permitted (EPERM)');
});

test('an object cannot forge a second line', () => {
  expect(new SystemError('open', 2, 'a\nb').message).not.toContain('\n');
});

test('withSystemError translates the errors of node:fs, and keeps them as cause', () => {
  const run = () => withSystemError('open', '/missing', () => readFileSync('/missing'));
  expect(run).toThrow('open "/missing": No such file or directory (ENOENT)');
  try {
    run();
  } catch (error) {
    expect((error as SystemError).cause).toMatchObject({ code: 'ENOENT', syscall: 'open' });
  }
});

test.each([
  ['an error of another kind', new TypeError('mine')],
  ['a code that is no error number', Object.assign(new Error('mine'), { code: 'ERR_INVALID' })],
  ['a text', 'mine'],
  ['nothing', undefined],
])('withSystemError lets %s through', (_, thrown) => {
  let caught: unknown = 'none';
  try {
    withSystemError('open', '/x', () => {
      throw thrown;
    });
  } catch (error) {
    caught = error;
  }
  expect(caught).toBe(thrown);
});

import { expect, test } from 'bun:test';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';

test('names the operation, the error and what the kernel said', () => {
  const error = new NetlinkError('dump links', 1, 'not today');
  expect(error.message).toBe('dump links: Operation not permitted (EPERM): not today');
  expect(error).toMatchObject({
    name: 'NetlinkError',
    operation: 'dump links',
    errno: 1,
    code: 'EPERM',
    kernelMessage: 'not today',
  });
});

test('most errors come without words', () => {
  const error = new NetlinkError('add 10.22.0.5/16 to "eth0"', 17);
  expect(error.message).toBe('add 10.22.0.5/16 to "eth0": File exists (EEXIST)');
  expect(error.kernelMessage).toBeUndefined();
});

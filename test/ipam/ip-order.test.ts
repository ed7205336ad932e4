import { expect, test } from 'bun:test';
import { formatIp, parseCidr, parseIp } from '../../src/cni/address.ts';
import { compareIps, lastIpOf, nextIp } from '../../src/ipam/ip-order.ts';

const ip = (text: string) => parseIp(text)!;

test.each([
  ['10.1.0.255', '10.1.1.0'],
  ['10.255.255.255', '11.0.0.0'],
  ['255.255.255.255', '0.0.0.0'],
  ['fd00::ffff', 'fd00::1:0'],
  ['fd00::ffff:ffff:ffff:ffff', 'fd00:0:0:1::'],
])('behind %s comes %s', (one, next) => {
  expect(formatIp(nextIp(ip(one)))).toBe(next);
});

test.each([
  ['10.1.0.0/16', '10.1.255.254'],
  ['10.1.0.0/30', '10.1.0.2'],
  ['10.1.2.128/25', '10.1.2.254'],
  ['fd00::/64', 'fd00::ffff:ffff:ffff:ffff'],
  ['fd00::/121', 'fd00::7f'],
])('%s ends with %s', (subnet, last) => {
  expect(formatIp(lastIpOf(parseCidr(subnet)!))).toBe(last);
});

test('is the order of numbers', () => {
  const sorted = ['9.255.0.0', '10.1.0.9', '10.1.0.10', '10.1.1.0', '200.0.0.1'];
  expect([...sorted].reverse().map(ip).sort(compareIps).map(formatIp)).toEqual(sorted);
});

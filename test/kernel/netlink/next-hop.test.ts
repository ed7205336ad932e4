import { expect, test } from 'bun:test';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { decodeNextHops } from '../../../src/kernel/netlink/next-hop.ts';
import { expectNoCrash } from './mutation.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const two = hex('1000 00 02 03000000 0800 0500 0a160001 1000 00 00 04000000 0800 0500 0a160002');

test('each next hop has a link, a weight one above rtnh_hops, and perhaps a gateway', () => {
  expect(decodeNextHops(two)).toEqual([
    { gateway: '10.22.0.1', oif: 3, weight: 3 },
    { gateway: '10.22.0.2', oif: 4, weight: 1 },
  ]);
  expect(decodeNextHops(hex('0800 00 ff 05000000'))).toEqual([{ oif: 5, weight: 256 }]);
});

test('RTA_VIA is a family and an address of it', () => {
  const via = hex('1e00 00 00 03000000 1600 1200 0a00 fd000000000000000000000000000001 0000');
  expect(decodeNextHops(via)).toEqual([{ gateway: 'fd00::1', oif: 3, weight: 1 }]);
});

test.each([
  ['length 0', '0000 00 00 03000000'],
  ['length below the structure', '0700 00 00 03000000'],
  ['length beyond the end', '0900 00 00 03000000'],
  ['an address of five bytes', '1100 00 00 03000000 0900 0500 0a16000105 000000'],
])('refuses %s', (_, bytes) => {
  expect(() => decodeNextHops(hex(bytes))).toThrow(MalformedMessageError);
});

test('mutated next hops', () => {
  expectNoCrash([two], decodeNextHops);
});

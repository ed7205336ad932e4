import { expect, test } from 'bun:test';
import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import {
  AF_INET,
  AF_INET6,
  addressFamily,
  ipFamily,
  ipText,
  prefixText,
} from '../../../src/kernel/netlink/ip-address.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';

test.each([
  ['0a160005', '10.22.0.5'],
  ['00000000', '0.0.0.0'],
  ['ffffffff', '255.255.255.255'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['fd000022000000000000000000000005', 'fd00:22::5'],
  ['fd000000000000000000000000000000', 'fd00::'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000100000001000100010001', '2001:db8:1:0:1:1:1:1'],
  ['20010000000100000000000100010001', '2001:0:1::1:1:1'],
  ['20010db80001000200030004000000ab', '2001:db8:1:2:3:4:0:ab'],
  ['000000000000000000000000000a0b0c', '::a:b0c'],
  ['0000000100000000000000000000ffff', '0:1::ffff'],
  ['00000000000000000000ffff0a160005', '::ffff:10.22.0.5'],
  ['fe800000000000000000abcd00ff00fe', 'fe80::abcd:ff:fe'],
])('%s is %s', (hex, text) => {
  expect(ipText(Buffer.from(hex, 'hex'))).toBe(text);
});

test.each([0, 3, 5, 15, 17])('%p bytes are no address', (length) => {
  expect(() => ipText(Buffer.alloc(length))).toThrow(MalformedMessageError);
});

test('all of IPv6 is written as the URL standard writes it, but for mapped addresses', () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Buffer.alloc(16);
      groups.forEach((value, index) => void bytes.writeUInt16BE(value, index * 2));
      const text = ipText(bytes);
      expect(isIPv6(text)).toBe(true);
      if (text.includes('.')) return;
      const plain = groups.map((value) => value.toString(16)).join(':');
      expect(new URL(`http://[${plain}]/`).hostname).toBe(`[${text}]`);
    }),
    { numRuns: 1000 },
  );
});

test('families', () => {
  expect([2, 10, 0, 28, 129].map(ipFamily)).toEqual([4, 6, undefined, undefined, undefined]);
});

test('prefixes and families of four and sixteen bytes', () => {
  const v4 = Uint8Array.of(10, 22, 0, 5);
  // A view into a larger buffer, as a part of another address is.
  const v6 = Uint8Array.from({ length: 20 }, (_, index) => (index < 4 ? 0xff : 0)).subarray(4);
  v6[0] = 0xfd;
  expect([prefixText({ ip: v4, prefixLength: 16 }), addressFamily(v4)]).toEqual(['10.22.0.5/16', AF_INET]);
  expect([prefixText({ ip: v6, prefixLength: 64 }), addressFamily(v6)]).toEqual(['fd00::/64', AF_INET6]);
  expect(() => addressFamily(new Uint8Array(5))).toThrow(RangeError);
});

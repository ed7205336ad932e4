import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { macBytes, macText } from '../../../src/kernel/netlink/mac-address.ts';

test.each([
  ['02:00:00:00:00:0f', '02000000000f'],
  ['0a:16:00:05', '0a160005'],
  ['80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:1e:bc:41', '80000208fe800000000000000002c903001ebc41'],
])('%s', (text, hex) => {
  expect(macText(Buffer.from(hex, 'hex'))).toBe(text);
  expect(macBytes(text).toString('hex')).toBe(hex);
});

test('a link without an address has no text', () => {
  expect(macText(undefined)).toBeUndefined();
  expect(macText(Buffer.alloc(0))).toBeUndefined();
});

test('capitals are understood', () => {
  expect(macBytes('0A:BC').toString('hex')).toBe('0abc');
});

test.each(['', ':', '2:00', '02:', '02:0g', '02-00', '02:00\n', '02:00:'])('%p is none', (text) => {
  expect(() => macBytes(text)).toThrow(RangeError);
});

test('every text is read as it was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (bytes) => {
      expect(macBytes(macText(Buffer.from(bytes))!)).toEqual(Buffer.from(bytes));
    }),
  );
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  COMMENT_LIMIT,
  commentOf,
  commentUserData,
  decodeUserData,
  encodeUserData,
} from '../../../src/kernel/nftables/user-data.ts';
import { expectNoCrash } from '../netlink/mutation.ts';

test('a comment is what nft writes', () => {
  expect(commentUserData('hey')?.toString('hex')).toBe('000468657900');
  expect(commentUserData(undefined)).toBeUndefined();
});

test('a comment of 128 bytes is written, a longer one is refused', () => {
  const longest = 'x'.repeat(COMMENT_LIMIT);
  expect(commentOf(commentUserData(longest))).toBe(longest);
  expect(() => commentUserData(`${longest}x`)).toThrow('comment of 129 bytes, more than 128');
  expect(() => commentUserData('ä'.repeat(65))).toThrow(RangeError);
});

test('what others keep there is no comment', () => {
  expect(commentOf(Buffer.from('00ff68', 'hex'))).toBeUndefined();
  expect(commentOf(Buffer.from('0102', 'hex'))).toBeUndefined();
  expect(commentOf(Buffer.alloc(0))).toBeUndefined();
  expect(commentOf(undefined)).toBeUndefined();
});

test('what is encoded is decoded', () => {
  const values = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(values, (entries) => {
      const map = new Map(entries.map(([type, bytes]) => [type, Buffer.from(bytes)]));
      expect(decodeUserData(encodeUserData(map))).toEqual(map);
    }),
  );
});

test('mutated user data', () => {
  expectNoCrash([Buffer.from('00046865790001040100000007026100', 'hex')], decodeUserData);
});

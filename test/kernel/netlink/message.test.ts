import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  align,
  decodeMessages,
  encodeMessage,
  leadingStruct,
  MalformedMessageError,
} from '../../../src/kernel/netlink/message.ts';
import { capturedDatagrams } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('encodes what strace shows of `ip link show dev lo`', () => {
  const payload = hex('00000000 00000000 00000000 00000000 0700 0300 6c6f0000');
  expect(encodeMessage({ type: 18, flags: 1, sequence: 0x11223344, payload }).toString('hex')).toBe(
    '2800000012000100443322110000000000000000000000000000000000000000070003006c6f0000',
  );
});

test('pads to four bytes, and does not count the padding', () => {
  const bytes = encodeMessage({ type: 1, flags: 0, sequence: 0, payload: hex('aa') });
  expect(bytes.length).toBe(20);
  expect(bytes.readUInt32LE(0)).toBe(17);
  expect(decodeMessages(bytes)[0]?.payload).toEqual(hex('aa'));
});

test.each([
  [0, 0],
  [1, 4],
  [4, 4],
  [5, 8],
])('align(%p) is %p', (length, aligned) => {
  expect(align(length)).toBe(aligned);
});

test('every message survives the way there and back', () => {
  const message = fc.record({
    type: fc.nat(0xffff),
    flags: fc.nat(0xffff),
    sequence: fc.nat(0xffffffff),
    payload: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      const decoded = decodeMessages(Buffer.concat(messages.map(encodeMessage)));
      expect(decoded).toEqual(messages.map((each) => ({ ...each, portId: 0 })));
    }),
  );
});

test('several messages of one datagram, as the kernel sends them', () => {
  const [datagram] = capturedDatagrams('addresses');
  const messages = decodeMessages(datagram!);
  expect(messages.map(({ type, sequence }) => [type, sequence])).toEqual([
    [20, 1],
    [20, 1],
    [20, 1],
    [20, 1],
    [20, 1],
  ]);
});

test.each([
  ['half a header', '14000000 1200'],
  ['length 0', '00000000 1200 0100 01000000 00000000'],
  ['length below the header', '0f000000 1200 0100 01000000 00000000'],
  ['length beyond the datagram', '15000000 1200 0100 01000000 00000000 00000000'],
  ['length of 4 GiB', 'ffffffff 1200 0100 01000000 00000000'],
  ['rest after a message', '10000000 1200 0100 01000000 00000000 0000'],
])('refuses %s', (_, bytes) => {
  expect(() => decodeMessages(hex(bytes))).toThrow(MalformedMessageError);
});

test('an empty datagram has no messages', () => {
  expect(decodeMessages(Buffer.alloc(0))).toEqual([]);
});

test('a structure that the payload ends in is refused by name', () => {
  expect(leadingStruct(hex('01020304'), 'struct ifinfomsg', 4)).toEqual(hex('01020304'));
  expect(() => leadingStruct(hex('010203'), 'struct ifinfomsg', 4)).toThrow(
    'struct ifinfomsg needs 4 bytes, not 3',
  );
});

test('mutated datagrams', () => {
  expectNoCrash(['links', 'addresses', 'routes', 'refused-link'].flatMap(capturedDatagrams), decodeMessages);
});

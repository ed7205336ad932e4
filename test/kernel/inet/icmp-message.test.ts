import { expect, test } from 'bun:test';
import { internetChecksum } from '../../../src/kernel/inet/checksum.ts';
import { decodeIcmp, encodeEcho } from '../../../src/kernel/inet/icmp-message.ts';
import { encodeUdpPacket } from '../../../src/kernel/inet/udp-packet.ts';

const ipv4 = (protocol: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt8(protocol, 9);
  return Buffer.concat([header, payload]);
};

test('the checksum of RFC 1071, section 3', () => {
  expect(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex'))).toBe(0x220d);
  expect(internetChecksum(Buffer.from([0xff]))).toBe(0x00ff);
});

test('an echo has a checksum that sums up to nothing', () => {
  const echo = encodeEcho(4, 0x1234, 7, Buffer.from('hello'));
  expect(internetChecksum(echo)).toBe(0);
  expect(echo.toString('hex')).toMatch(/^0800....1234000768656c6c6f$/);
});

test('a packet of UDP, as it is on the wire', () => {
  const [from, to] = [10, 192].map((first) => ({ ip: Uint8Array.of(first, 0, 2, 5), port: 9 }));
  const packet = encodeUdpPacket(from as never, to as never, Buffer.from('hi'));
  expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
  expect(packet.subarray(12).toString('hex')).toBe('0a000205c000020500090009000a00006869');
});

test('a reply, and what is none', () => {
  const reply = encodeEcho(4, 5, 1, Buffer.from('hello'));
  reply.writeUInt8(0, 0);
  expect(decodeIcmp(4, ipv4(1, reply))).toEqual({ kind: 'reply', id: 5, payload: Buffer.from('hello') });
  expect(decodeIcmp(4, ipv4(1, encodeEcho(4, 5, 1, Buffer.from('hello'))))).toBeUndefined();
});

test('what says that it is too long, and what fits', () => {
  const about = ipv4(1, encodeEcho(4, 5, 1, Buffer.alloc(0)));
  const error = Buffer.concat([Buffer.from([3, 4, 0, 0, 0, 0, 0x05, 0x78]), about]);
  expect(decodeIcmp(4, ipv4(1, error))).toEqual({
    kind: 'error',
    reason: 'too-long',
    code: 4,
    id: 5,
    mtu: 1400,
  });
  error.writeUInt8(1, 1);
  expect(decodeIcmp(4, ipv4(1, error))).toEqual({ kind: 'error', reason: 'unreachable', code: 1, id: 5 });
  const six = Buffer.concat([
    Buffer.from([2, 0, 0, 0, 0, 0, 5, 0]),
    Buffer.alloc(40),
    encodeEcho(6, 9, 1, Buffer.alloc(0)),
  ]);
  expect(decodeIcmp(6, six)).toEqual({ kind: 'error', reason: 'too-long', code: 0, id: 9, mtu: 1280 });
});

test('nothing that comes from outside makes it fail', () => {
  for (let length = 0; length < 200; length++) {
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(length)));
    for (const type of [0, 1, 2, 3, 129]) {
      if (length > 0) noise.writeUInt8(type, 0);
      for (const family of [4, 6] as const) expect(() => decodeIcmp(family, noise)).not.toThrow();
      if (length > 0) expect(() => decodeIcmp(4, ipv4(1, noise))).not.toThrow();
    }
  }
});

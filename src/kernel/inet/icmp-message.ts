import { internetChecksum } from './checksum.ts';

/** What a raw socket hears of ICMP. */
export type IcmpMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly payload: Buffer }
  | {
      readonly kind: 'error';
      /** `too-long`: of ICMP 3/4 and of ICMPv6 2/0. */
      readonly reason: 'too-long' | 'unreachable';
      readonly code: number;
      /** What fits, where it is said. */
      readonly mtu?: number;
      /** The identifier of the echo that it is about. */
      readonly id: number;
    };

/** An echo request; the checksum of ICMPv6 is the kernel's to make. */
export function encodeEcho(family: 4 | 6, id: number, sequence: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER + payload.length);
  bytes.writeUInt8(family === 4 ? ECHO : ECHO6, 0);
  bytes.writeUInt16BE(id, 4);
  bytes.writeUInt16BE(sequence, 6);
  bytes.set(payload, HEADER);
  if (family === 4) bytes.writeUInt16BE(internetChecksum(bytes), 2);
  return bytes;
}

/** Reads what a raw socket received: of IPv4 with its header. Undefined for all that is about no echo. */
export function decodeIcmp(family: 4 | 6, datagram: Buffer): IcmpMessage | undefined {
  const message = family === 4 ? datagram.subarray(headerLength(datagram)) : datagram;
  if (message.length < HEADER) return undefined;
  const [type, code] = [message.readUInt8(0), message.readUInt8(1)];
  if (type === (family === 4 ? REPLY : REPLY6))
    return { kind: 'reply', id: message.readUInt16BE(4), payload: message.subarray(HEADER) };
  const isTooLong = family === 4 ? type === UNREACHABLE && code === FRAG_NEEDED : type === TOO_BIG6;
  if (!isTooLong && type !== (family === 4 ? UNREACHABLE : UNREACHABLE6)) return undefined;
  const id = idOfEcho(family, message.subarray(HEADER));
  if (id === undefined) return undefined;
  if (!isTooLong) return { kind: 'error', reason: 'unreachable', code, id };
  const mtu = family === 4 ? message.readUInt16BE(6) : message.readUInt32BE(4);
  return { kind: 'error', reason: 'too-long', code, id, ...(mtu === 0 ? {} : { mtu }) };
}

/** The packet that an error is about follows it, as far as it has room. */
function idOfEcho(family: 4 | 6, packet: Buffer): number | undefined {
  const echo = packet.subarray(family === 4 ? headerLength(packet) : 40);
  if (echo.length < HEADER || echo.readUInt8(0) !== (family === 4 ? ECHO : ECHO6)) return undefined;
  return echo.readUInt16BE(4);
}

const headerLength = (packet: Buffer): number => ((packet[0] ?? 0) & 0x0f) * 4;

const HEADER = 8;
/** include/uapi/linux/icmp.h and icmpv6.h */
const ECHO = 8;
const REPLY = 0;
const UNREACHABLE = 3;
const FRAG_NEEDED = 4;
const ECHO6 = 128;
const REPLY6 = 129;
const UNREACHABLE6 = 1;
const TOO_BIG6 = 2;

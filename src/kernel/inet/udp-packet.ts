import { internetChecksum } from './checksum.ts';
import type { Endpoint } from './socket-address.ts';

/** A packet of IPv4 and UDP as it is on the wire: struct iphdr, struct udphdr (without a checksum, as RFC 768 allows), data. */
export function encodeUdpPacket(from: Endpoint, to: Endpoint, data: Uint8Array): Buffer {
  const packet = Buffer.alloc(IP_BYTES + UDP_BYTES + data.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(IPPROTO_UDP, 9);
  packet.set(from.ip, 12);
  packet.set(to.ip, 16);
  packet.writeUInt16BE(internetChecksum(packet.subarray(0, IP_BYTES)), 10);
  packet.writeUInt16BE(from.port, IP_BYTES);
  packet.writeUInt16BE(to.port, IP_BYTES + 2);
  packet.writeUInt16BE(UDP_BYTES + data.length, IP_BYTES + 4);
  packet.set(data, IP_BYTES + UDP_BYTES);
  return packet;
}

const IP_BYTES = 20;
const UDP_BYTES = 8;
const IPPROTO_UDP = 17;

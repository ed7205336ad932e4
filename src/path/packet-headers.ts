import { ipText } from '../kernel/netlink/ip-address.ts';
import { protocolNumber } from './flow.ts';

/** The headers of a packet, as far as a trace has them. */
export interface PacketHeaders {
  readonly source: string;
  readonly target: string;
  /** IPPROTO_*: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6. */
  readonly protocol: number;
  /** Of TCP and UDP. */
  readonly sourcePort?: number;
  readonly targetPort?: number;
  /** What no NAT changes of it: equal for two looks at one packet, and at its repetitions. */
  readonly identity: string;
}

/**
 * Reads struct iphdr or ipv6hdr and the 20 bytes behind. Undefined for what has no such headers: a later fragment, ARP, an
 * IPv6 packet with a header in between.
 */
export function packetHeaders(network: Buffer, transport: Buffer): PacketHeaders | undefined {
  const family = (network[0] ?? 0) >> 4;
  if (family !== 4 && family !== 6) return undefined;
  if (network.length < (family === 4 ? 20 : 40) || transport.length < 8) return undefined;
  const protocol = network[family === 4 ? 9 : 6] ?? 0;
  const addresses = family === 4 ? network.subarray(12, 20) : network.subarray(8, 40);
  const half = addresses.length / 2;
  const isIcmp = protocol === protocolNumber('icmp', family);
  return {
    source: ipText(addresses.subarray(0, half)),
    target: ipText(addresses.subarray(half)),
    protocol,
    ...(isIcmp ? {} : { sourcePort: transport.readUInt16BE(0), targetPort: transport.readUInt16BE(2) }),
    identity: `${protocol} ${unchanged(transport, protocol, isIcmp).toString('hex')}`,
  };
}

/** Of ICMP the type and what the echo carries, of TCP the sequence number, of others the payload: no ports, no checksum. */
function unchanged(transport: Buffer, protocol: number, isIcmp: boolean): Buffer {
  if (protocol === protocolNumber('tcp', 4)) return transport.subarray(4, 8);
  const payload = transport.subarray(8);
  return isIcmp ? Buffer.concat([transport.subarray(0, 1), payload]) : payload;
}

import { AF_INET, AF_INET6 } from '../netlink/ip-address.ts';
import { MalformedMessageError } from '../netlink/message.ts';

/** An address and a port of UDP or TCP; of ICMP the port is 0. */
export interface Endpoint {
  readonly ip: Uint8Array;
  readonly port: number;
  /** sin6_scope_id: the link that a link-local address is on. */
  readonly scope?: number;
}

/** struct sockaddr_in and sockaddr_in6, include/uapi/linux/in.h and in6.h. Throws RangeError for other lengths of addresses. */
export function encodeSocketAddress({ ip, port, scope = 0 }: Endpoint): Buffer {
  if (ip.length !== 4 && ip.length !== 16) throw new RangeError(`address of ${ip.length} bytes`);
  const bytes = Buffer.alloc(ip.length === 4 ? 16 : 28);
  bytes.writeUInt16LE(ip.length === 4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip, ip.length === 4 ? 4 : 8);
  if (ip.length === 16) bytes.writeUInt32LE(scope, 24);
  return bytes;
}

/** Throws MalformedMessageError for another family. */
export function decodeSocketAddress(bytes: Buffer): Endpoint {
  const family = bytes.readUInt16LE(0);
  const port = bytes.readUInt16BE(2);
  if (family === AF_INET) return { ip: Buffer.from(bytes.subarray(4, 8)), port };
  if (family === AF_INET6)
    return { ip: Buffer.from(bytes.subarray(8, 24)), port, scope: bytes.readUInt32LE(24) };
  throw new MalformedMessageError(`socket address of family ${family}`);
}

/** Room for the longer of the two. */
export const emptySocketAddress = (): Buffer => Buffer.alloc(28);

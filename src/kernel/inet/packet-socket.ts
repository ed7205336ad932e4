import { closeSync } from 'node:fs';
import { EAGAIN, EINTR } from '../errno.ts';
import { bind, recvfrom, sendto, setsockopt, socket } from '../libc.ts';
import { type Namespace, runIn } from '../netns.ts';
import { SystemError } from '../system-error.ts';
import { AF_PACKET, encodeLinkAddress, SIZEOF_SOCKADDR_LL } from './link-address.ts';

/**
 * Opens what sends and hears one Ethernet type on one link, below IP: no routes, no neighbours, no rules. Throws SystemError, as its
 * methods do: ENETDOWN when the link is down.
 */
export function openPacketSocket(
  namespace: Namespace | undefined,
  link: { readonly index: number; readonly name: string },
  etherType: number,
): PacketSocket {
  const open = (): number => socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, swapped(etherType));
  const fd = namespace === undefined ? open() : runIn(namespace, open);
  if (fd < 0) throw new SystemError('socket', -fd, 'packet socket');
  const opened = new PacketSocket(fd, link, etherType);
  const bound = bind(fd, encodeLinkAddress(link.index, etherType));
  if (bound >= 0) return opened;
  opened.close();
  throw new SystemError('bind', -bound, link.name);
}

/** For `using`. */
export class PacketSocket {
  constructor(
    private readonly fd: number,
    private readonly link: { readonly index: number; readonly name: string },
    private readonly etherType: number,
  ) {}

  /** To a MAC; the kernel makes the header of Ethernet. */
  send(data: Buffer, mac: Uint8Array): void {
    const sent = sendto(this.fd, data, 0, encodeLinkAddress(this.link.index, this.etherType, mac));
    if (sent < 0) throw new SystemError('sendto', -sent, this.link.name);
  }

  /** Without the header of Ethernet. Undefined when nothing came for so many ms. */
  receive(atMostMs: number): Buffer | undefined {
    const timeval = Buffer.alloc(16);
    timeval.writeUInt32LE(Math.floor(atMostMs / 1000), 0);
    // No time at all would mean to wait for ever.
    timeval.writeUInt32LE(Math.max(1, Math.floor((atMostMs % 1000) * 1000)), 8);
    setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeval);
    const room = Buffer.alloc(2048);
    const length = recvfrom(this.fd, room, 0, Buffer.alloc(SIZEOF_SOCKADDR_LL));
    if (length === -EAGAIN || length === -EINTR) return undefined;
    if (length < 0) throw new SystemError('recvfrom', -length, this.link.name);
    return room.subarray(0, length);
  }

  close(): void {
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** htons(3) */
const swapped = (word: number): number => ((word & 0xff) << 8) | (word >> 8);

/** include/linux/socket.h and include/uapi/asm-generic/socket.h */
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

import { closeSync } from 'node:fs';
import { EAGAIN, EINTR } from '../errno.ts';
import { bind, recvfrom, sendto, setsockopt, socket } from '../libc.ts';
import type { Link } from '../netlink/link.ts';
import { macBytes, macText } from '../netlink/mac-address.ts';
import { type Namespace, runIn } from '../netns.ts';
import { SystemError } from '../system-error.ts';

/** A question to the neighbours of a link. */
export interface NeighbourQuestion {
  readonly link: Link;
  /** Who asks, and whom. */
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  /** How long to wait for the answer. */
  readonly atMostMs: number;
}

export interface NeighbourAnswer {
  readonly mac: string;
  readonly ms: number;
}

/**
 * Asks by ARP who has an address, on the wire and not in the kernel's table; twice, when nobody answers at once. Undefined when
 * nobody has it. Throws SystemError: ENETDOWN when the link is down.
 */
export function askByArp(
  namespace: Namespace | undefined,
  question: NeighbourQuestion,
): NeighbourAnswer | undefined {
  const { link, atMostMs } = question;
  const fd = namespace === undefined ? openPacketSocket() : runIn(namespace, openPacketSocket);
  try {
    check('bind', bind(fd, linkAddress(link.index, new Uint8Array())), link);
    const begun = performance.now();
    for (const tryMs of [atMostMs / 2, atMostMs]) {
      check('sendto', sendto(fd, request(question), 0, linkAddress(link.index, BROADCAST)), link);
      const mac = answerUntil(fd, question, begun + tryMs);
      if (mac !== undefined) return { mac, ms: performance.now() - begun };
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function openPacketSocket(): number {
  const fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, swapped(ETH_P_ARP));
  if (fd < 0) throw new SystemError('socket', -fd, 'packet socket');
  return fd;
}

function answerUntil(fd: number, { target }: NeighbourQuestion, deadline: number): string | undefined {
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return undefined;
    const timeval = Buffer.alloc(16);
    timeval.writeUInt32LE(Math.floor(leftMs / 1000), 0);
    timeval.writeUInt32LE(Math.max(1, Math.floor((leftMs % 1000) * 1000)), 8);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval);
    const room = Buffer.alloc(64);
    const length = recvfrom(fd, room, 0, Buffer.alloc(SIZEOF_SOCKADDR_LL));
    if (length === -EAGAIN || length === -EINTR) continue;
    if (length < 0) throw new SystemError('recvfrom', -length, 'packet socket');
    const isReply = length >= ARP_BYTES && room.readUInt16BE(6) === ARPOP_REPLY;
    if (isReply && room.subarray(14, 18).equals(Buffer.from(target))) return macText(room.subarray(8, 14));
  }
}

/** RFC 826, for Ethernet and IPv4. */
function request({ link, source, target }: NeighbourQuestion): Buffer {
  const bytes = Buffer.alloc(ARP_BYTES);
  bytes.writeUInt16BE(ARPHRD_ETHER, 0);
  bytes.writeUInt16BE(ETH_P_IP, 2);
  bytes.writeUInt8(6, 4);
  bytes.writeUInt8(4, 5);
  bytes.writeUInt16BE(ARPOP_REQUEST, 6);
  bytes.set(macBytes(link.mac ?? '00:00:00:00:00:00'), 8);
  bytes.set(source, 14);
  bytes.set(target, 24);
  return bytes;
}

/** struct sockaddr_ll, include/uapi/linux/if_packet.h */
function linkAddress(index: number, mac: Uint8Array): Buffer {
  const bytes = Buffer.alloc(SIZEOF_SOCKADDR_LL);
  bytes.writeUInt16LE(AF_PACKET, 0);
  bytes.writeUInt16BE(ETH_P_ARP, 2);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt8(mac.length, 11);
  bytes.set(mac, 12);
  return bytes;
}

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >> 8);

function check(call: string, answer: number, { name }: Link): void {
  if (answer < 0) throw new SystemError(call, -answer, name);
}

/** include/linux/socket.h, include/uapi/linux/if_ether.h and if_arp.h */
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SIZEOF_SOCKADDR_LL = 20;
const ETH_P_IP = 0x0800;
const ETH_P_ARP = 0x0806;
const ARPHRD_ETHER = 1;
const ARPOP_REQUEST = 1;
const ARPOP_REPLY = 2;
const ARP_BYTES = 28;
const BROADCAST = new Uint8Array(6).fill(0xff);

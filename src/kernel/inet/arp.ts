import type { Link } from '../netlink/link.ts';
import { macBytes, macText } from '../netlink/mac-address.ts';
import type { Namespace } from '../netns.ts';
import { ETH_P_ARP, ETH_P_IP } from './link-address.ts';
import { openPacketSocket, type PacketSocket } from './packet-socket.ts';

/** A question to the neighbours of a link. */
export interface NeighbourQuestion {
  readonly link: Pick<Link, 'index' | 'name' | 'mac'>;
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
  using socket = openPacketSocket(namespace, question.link, ETH_P_ARP);
  const begun = performance.now();
  for (const tryMs of [question.atMostMs / 2, question.atMostMs]) {
    socket.send(request(question), BROADCAST);
    const mac = answerUntil(socket, question, begun + tryMs);
    if (mac !== undefined) return { mac, ms: performance.now() - begun };
  }
  return undefined;
}

function answerUntil(
  socket: PacketSocket,
  { target }: NeighbourQuestion,
  deadline: number,
): string | undefined {
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return undefined;
    const message = socket.receive(leftMs);
    if (message === undefined || message.length < ARP_BYTES) continue;
    const isReply = message.readUInt16BE(6) === ARPOP_REPLY;
    if (isReply && message.subarray(14, 18).equals(Buffer.from(target)))
      return macText(message.subarray(8, 14));
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

/** include/uapi/linux/if_arp.h */
const ARPHRD_ETHER = 1;
const ARPOP_REQUEST = 1;
const ARPOP_REPLY = 2;
const ARP_BYTES = 28;
const BROADCAST = new Uint8Array(6).fill(0xff);

import { macBytes, macText } from '../netlink/mac-address.ts';
import type { Namespace } from '../netns.ts';
import type { NeighbourAnswer, NeighbourQuestion } from './arp.ts';
import { openInetSocket } from './inet-socket.ts';

/**
 * The same in IPv6: asks by a neighbour solicitation (RFC 4861) who has an address; twice, when nobody answers at once. Undefined
 * when nobody has it. Throws SystemError: EADDRNOTAVAIL when the one who asks has not the address of the source.
 */
export function askByNdp(
  namespace: Namespace | undefined,
  question: NeighbourQuestion,
): NeighbourAnswer | undefined {
  const { link, source, target, atMostMs } = question;
  const socket = openInetSocket('icmp', 6, namespace);
  try {
    socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
    const scope = link.index;
    socket.bind({ ip: source, port: 0, ...(isLinkLocal(source) ? { scope } : {}) });
    const begun = performance.now();
    for (const tryMs of [atMostMs / 2, atMostMs]) {
      socket.sendTo(solicitation(question), { ip: solicitedNode(target), port: 0, scope });
      for (;;) {
        const leftMs = begun + tryMs - performance.now();
        if (leftMs <= 0) break;
        const mac = advertised(socket.receive(leftMs)?.data, target);
        if (mac !== undefined) return { mac, ms: performance.now() - begun };
      }
    }
    return undefined;
  } finally {
    socket.close();
  }
}

function isLinkLocal(ip: Uint8Array): boolean {
  return ip[0] === 0xfe && ((ip[1] ?? 0) & 0xc0) === 0x80;
}

/** Its target, and our own MAC as an option. */
function solicitation({ link, target }: NeighbourQuestion): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt8(SOLICITATION, 0);
  bytes.set(target, 8);
  bytes.writeUInt8(SOURCE_LINK_ADDRESS, 24);
  bytes.writeUInt8(1, 25);
  bytes.set(macBytes(link.mac ?? '00:00:00:00:00:00'), 26);
  return bytes;
}

/** The MAC in an advertisement of this address. */
function advertised(message: Buffer | undefined, target: Uint8Array): string | undefined {
  if (message === undefined || message.length < 24 || message.readUInt8(0) !== ADVERTISEMENT)
    return undefined;
  if (!message.subarray(8, 24).equals(Buffer.from(target))) return undefined;
  const hasMac = message.length >= 32 && message.readUInt8(24) === TARGET_LINK_ADDRESS;
  return hasMac ? macText(message.subarray(26, 32)) : 'unknown';
}

/** RFC 4291, section 2.7.1 */
function solicitedNode(target: Uint8Array): Buffer {
  const group = Buffer.from('ff0200000000000000000001ff000000', 'hex');
  group.set(target.subarray(13), 13);
  return group;
}

const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_HOPS = 18;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;

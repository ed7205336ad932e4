import { EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, EXDEV } from '../errno.ts';
import { Attributes, attribute, present, u32Attribute } from './attribute.ts';
import { addressFamily, ipText } from './ip-address.ts';
import { leadingStruct } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { gatewayOf } from './next-hop.ts';
import type { NetlinkSocket } from './socket.ts';

/**
 * The index of the link that a packet to the address leaves by, as `ip route get` says; undefined when there is no way.
 * Throws NetlinkError.
 */
export function linkTowards(socket: NetlinkSocket, ip: Uint8Array): number | undefined {
  const rtmsg = Buffer.alloc(SIZEOF_RTMSG);
  rtmsg.writeUInt8(addressFamily(ip), 0);
  rtmsg.writeUInt8(ip.length * 8, 1);
  const payload = Buffer.concat([rtmsg, attribute(RTA_DST, ip)]);
  try {
    const [answer] = socket.request({
      operation: `find the route to ${ipText(ip)}`,
      type: RTM_GETROUTE,
      payload,
    });
    if (answer === undefined) return undefined;
    leadingStruct(answer.payload, 'struct rtmsg', SIZEOF_RTMSG);
    return new Attributes(answer.payload.subarray(SIZEOF_RTMSG)).u32(RTA_OIF);
  } catch (error) {
    if (error instanceof NetlinkError && [ENETUNREACH, EHOSTUNREACH].includes(error.errno)) return undefined;
    throw error;
  }
}

/** A packet that came in by a link. */
export interface IncomingPacket {
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  /** The index of the link. */
  readonly iif: number;
}

/** What the kernel would do with a packet that came in. */
export type IncomingRoute =
  | { readonly kind: 'forward' | 'local' | 'other'; readonly oif?: number; readonly gateway?: string }
  /** ENETUNREACH no route, EHOSTUNREACH forwarding is off, EXDEV it came from the wrong side, EINVAL a blackhole. */
  | { readonly kind: 'refused'; readonly errno: number };

/**
 * What becomes of a packet that came in by a link, as `ip route get ... from ... iif ...` says. Throws NetlinkError for what is
 * no answer about the packet.
 */
export function routeOfIncoming(
  socket: NetlinkSocket,
  { source, target, iif }: IncomingPacket,
): IncomingRoute {
  const rtmsg = Buffer.alloc(SIZEOF_RTMSG);
  rtmsg.writeUInt8(addressFamily(target), 0);
  rtmsg.writeUInt8(target.length * 8, 1);
  rtmsg.writeUInt8(source.length * 8, 2);
  const attributes = [attribute(RTA_DST, target), attribute(RTA_SRC, source), u32Attribute(RTA_IIF, iif)];
  try {
    const [answer] = socket.request({
      operation: `find the route of ${ipText(source)} to ${ipText(target)}`,
      type: RTM_GETROUTE,
      payload: Buffer.concat([rtmsg, ...attributes]),
    });
    if (answer === undefined) return { kind: 'other' };
    return incomingRoute(answer.payload);
  } catch (error) {
    if (error instanceof NetlinkError && REFUSALS.includes(error.errno))
      return { kind: 'refused', errno: error.errno };
    throw error;
  }
}

function incomingRoute(payload: Buffer): IncomingRoute {
  const rtmsg = leadingStruct(payload, 'struct rtmsg', SIZEOF_RTMSG);
  const attributes = new Attributes(payload.subarray(SIZEOF_RTMSG));
  const error = REFUSING[rtmsg.readUInt8(7)];
  if (error !== undefined) return { kind: 'refused', errno: error };
  const kind = ({ 1: 'forward', 2: 'local' } as const)[rtmsg.readUInt8(7)] ?? 'other';
  return present<IncomingRoute>({ kind, oif: attributes.u32(RTA_OIF), gateway: gatewayOf(attributes) });
}

const REFUSALS = [EINVAL, EXDEV, EACCES, ENETUNREACH, EHOSTUNREACH];
/** RTN_BLACKHOLE, RTN_UNREACHABLE and RTN_PROHIBIT, which IPv6 answers in place of an error. */
const REFUSING: Readonly<Record<number, number>> = { 6: EINVAL, 7: EHOSTUNREACH, 8: EACCES };

/** include/uapi/linux/rtnetlink.h */
const RTM_GETROUTE = 26;
const SIZEOF_RTMSG = 12;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_IIF = 3;
const RTA_OIF = 4;

import { Attributes, present } from './attribute.ts';
import { ipFamily, ipText } from './ip-address.ts';
import { leadingStruct } from './message.ts';
import { decodeNextHops, gatewayOf, type NextHop } from './next-hop.ts';
import type { NetlinkSocket } from './socket.ts';

/** A route, as `ip route show table all` shows it. */
export interface Route {
  family: 4 | 6;
  /** CIDR text; `0.0.0.0/0` and `::/0` for the default route. */
  dst: string;
  /** RTA_GATEWAY, or RTA_VIA where it is of the other family; absent on a link's own routes, and with nextHops. */
  gateway?: string;
  /** RTA_OIF: the index of the link that it leads out of. */
  oif?: number;
  /** RTA_TABLE: 254 main, 255 local. */
  table: number;
  /** RTPROT_*: 2 kernel, 3 boot, 4 static. */
  protocol: number;
  /** enum rt_scope_t: 0 universe, 253 link, 254 host; always 0 in IPv6. */
  scope: number;
  /** RTN_*: 1 unicast, 2 local, 3 broadcast, 7 unreachable. */
  type: number;
  /** RTA_PREFSRC: the address that is sent from. */
  src?: string;
  /** RTNH_F_ONLINK: the gateway is taken to be a neighbour, whatever the addresses say. */
  onlink?: boolean;
  tos?: number;
  /** RTA_PRIORITY, the metric; 0 is absent in IPv4, and never in IPv6. */
  priority?: number;
  /** RTAX_MTU */
  mtu?: number;
  /** RTAX_ADVMSS */
  advmss?: number;
  /** RTA_MULTIPATH: in place of gateway and oif, where there are several. */
  nextHops?: NextHop[];
}

/**
 * All IPv4 and IPv6 routes of all tables in the socket's namespace, but for those the kernel learnt and will forget.
 * Throws as NetlinkSocket.dump does.
 */
export function listRoutes(socket: NetlinkSocket): Route[] {
  return dumpRoutes(socket).flatMap((payload) => decodeRoute(payload) ?? []);
}

/** The payloads of RTM_NEWROUTE. Throws as NetlinkSocket.dump does. */
export function dumpRoutes(socket: NetlinkSocket): Buffer[] {
  const payload = Buffer.alloc(SIZEOF_RTMSG);
  return socket
    .dump({ operation: 'dump routes', type: RTM_GETROUTE, payload })
    .filter(({ type }) => type === RTM_NEWROUTE)
    .map((message) => message.payload);
}

/**
 * Decodes the payload of RTM_NEWROUTE: struct rtmsg and RTA_*; undefined for other families than IP's and for cached
 * routes. Throws MalformedMessageError.
 */
export function decodeRoute(payload: Buffer): Route | undefined {
  const rtmsg = leadingStruct(payload, 'struct rtmsg', SIZEOF_RTMSG);
  const family = ipFamily(rtmsg.readUInt8(0));
  if (family === undefined || (rtmsg.readUInt32LE(8) & RTM_F_CLONED) !== 0) return undefined;
  const attributes = new Attributes(payload.subarray(SIZEOF_RTMSG));
  const dst = attributes.bytes(RTA_DST);
  const source = attributes.bytes(RTA_PREFSRC);
  const metrics = attributes.nested(RTA_METRICS);
  const nextHops = attributes.bytes(RTA_MULTIPATH);
  return present<Route>({
    family,
    dst: `${dst === undefined ? ANY[family] : ipText(dst)}/${rtmsg.readUInt8(1)}`,
    gateway: gatewayOf(attributes),
    oif: attributes.u32(RTA_OIF),
    // The header has room for tables up to 255 only.
    table: attributes.u32(RTA_TABLE) ?? rtmsg.readUInt8(4),
    protocol: rtmsg.readUInt8(5),
    scope: rtmsg.readUInt8(6),
    type: rtmsg.readUInt8(7),
    src: source && ipText(source),
    onlink: (rtmsg.readUInt32LE(8) & RTNH_F_ONLINK) !== 0 ? true : undefined,
    tos: rtmsg.readUInt8(3) || undefined,
    priority: attributes.u32(RTA_PRIORITY),
    mtu: metrics?.u32(RTAX_MTU),
    advmss: metrics?.u32(RTAX_ADVMSS),
    nextHops: nextHops === undefined ? undefined : decodeNextHops(nextHops),
  });
}

/** The kernel leaves out an address of zeros. */
const ANY = { 4: '0.0.0.0', 6: '::' };

/** include/uapi/linux/rtnetlink.h */
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const SIZEOF_RTMSG = 12;
const RTNH_F_ONLINK = 0x4;
const RTM_F_CLONED = 0x200;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;

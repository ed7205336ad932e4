import { attribute, nested, u32Attribute } from './attribute.ts';
import { addressFamily, type IpPrefix, ipText, prefixText } from './ip-address.ts';
import type { LinkId } from './link-message.ts';
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** A route to add or to delete; the words and numbers are those of Route. */
export interface RouteChange {
  /** The network, without host bits. */
  dst: IpPrefix;
  /** RTA_GATEWAY, or RTA_VIA for one of the other family. */
  gateway?: Uint8Array | undefined;
  /** RTA_OIF: the link that it leads out of; else the kernel finds it by the gateway. */
  link?: LinkId | undefined;
  /** RTAX_MTU, in bytes. */
  mtu?: number | undefined;
  /** RTAX_ADVMSS, in bytes. */
  advmss?: number | undefined;
  /** RTA_PRIORITY, the metric; else 0 in IPv4, and 1024 in IPv6. */
  priority?: number | undefined;
  /** RTA_TABLE; else main, 254. */
  table?: number | undefined;
  /** Else universe, 0, but link, 253, for unicast of IPv4 without a gateway. To delete: else any. */
  scope?: number | undefined;
  /** RTPROT_*; else boot, 3. To delete: else any. */
  protocol?: number | undefined;
  /** RTN_*; else unicast, 1. To delete: else any. */
  type?: number | undefined;
  /** RTA_PREFSRC: the source address of what takes it. */
  source?: Uint8Array | undefined;
  /** RTNH_F_ONLINK: the gateway is there, though no route of the link says so. */
  onlink?: boolean | undefined;
}

/**
 * Adds a route. Where there is one with its destination and priority, `how` decides: `exclusive` throws EEXIST,
 * `append` puts it behind (in IPv6 it becomes one more way of that), and `before`, as the reference plugins do, puts
 * it before in IPv4 (EEXIST if all is equal) and appends in IPv6. Throws NetlinkError: ENETUNREACH or EHOSTUNREACH
 * when the gateway cannot be reached, ENETDOWN when the link is down, EINVAL for host bits in `dst`, ENODEV when the
 * link is gone, EPERM.
 */
export function addRoute(
  socket: NetlinkSocket,
  route: RouteChange,
  how: 'exclusive' | 'append' | 'before' = 'exclusive',
): void {
  const flags = { exclusive: NLM_F_EXCL, append: NLM_F_APPEND, before: 0 }[how];
  change(socket, 'add', RTM_NEWROUTE, NLM_F_CREATE | flags, asAdded(route));
}

/** Adds a route in place of the one with its destination and priority, if there is one. Throws as addRoute does. */
export function replaceRoute(socket: NetlinkSocket, route: RouteChange): void {
  change(socket, 'replace', RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, asAdded(route));
}

/** Deletes the first route that is so. Throws NetlinkError: ESRCH when there is none, EPERM. */
export function deleteRoute(socket: NetlinkSocket, route: RouteChange): void {
  const { scope = RT_SCOPE_NOWHERE, protocol = 0, type = 0 } = route;
  change(socket, 'delete', RTM_DELROUTE, 0, { ...route, scope, protocol, type });
}

/** What the header has no absence for. */
type Complete = RouteChange & { scope: number; protocol: number; type: number };

/** As `ip route add` completes it. */
function asAdded(route: RouteChange): Complete {
  const { protocol = RTPROT_BOOT, type = RTN_UNICAST } = route;
  const isDirect = type === RTN_UNICAST && route.gateway === undefined && route.dst.ip.length === 4;
  const { scope = isDirect ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE } = route;
  return { ...route, scope, protocol, type };
}

function change(socket: NetlinkSocket, verb: string, type: number, flags: number, route: Complete): void {
  const { gateway, link, table } = route;
  const words = [verb, 'route', prefixText(route.dst)];
  if (gateway !== undefined) words.push('via', ipText(gateway));
  if (link !== undefined) words.push('dev', JSON.stringify(link.name));
  if (table !== undefined) words.push('table', String(table));
  const payload = Buffer.concat([header(route), ...attributesOf(route)]);
  socket.request({ operation: words.join(' '), type, flags, payload });
}

/** struct rtmsg */
function header({ dst, table = RT_TABLE_MAIN, protocol, scope, type, onlink = false }: Complete): Buffer {
  const rtmsg = Buffer.alloc(SIZEOF_RTMSG);
  rtmsg.writeUInt8(addressFamily(dst.ip), 0);
  rtmsg.writeUInt8(dst.prefixLength, 1);
  // A table that does not fit is in RTA_TABLE alone.
  rtmsg.writeUInt8(table < 256 ? table : RT_TABLE_UNSPEC, 4);
  rtmsg.writeUInt8(protocol, 5);
  rtmsg.writeUInt8(scope, 6);
  rtmsg.writeUInt8(type, 7);
  rtmsg.writeUInt32LE(onlink ? RTNH_F_ONLINK : 0, 8);
  return rtmsg;
}

function attributesOf({ dst, gateway, link, mtu, advmss, priority, table, source }: RouteChange): Buffer[] {
  const attributes: Buffer[] = [];
  if (dst.prefixLength > 0) attributes.push(attribute(RTA_DST, dst.ip));
  if (gateway !== undefined) attributes.push(gatewayAttribute(gateway, dst));
  if (source !== undefined) attributes.push(attribute(RTA_PREFSRC, source));
  if (link !== undefined) attributes.push(u32Attribute(RTA_OIF, link.index));
  if (priority !== undefined) attributes.push(u32Attribute(RTA_PRIORITY, priority));
  if (table !== undefined && table > 255) attributes.push(u32Attribute(RTA_TABLE, table));
  const metrics: Buffer[] = [];
  if (mtu !== undefined) metrics.push(u32Attribute(RTAX_MTU, mtu));
  if (advmss !== undefined) metrics.push(u32Attribute(RTAX_ADVMSS, advmss));
  if (metrics.length > 0) attributes.push(nested(RTA_METRICS, ...metrics));
  return attributes;
}

/** RTA_VIA has a struct rtvia: the family in two bytes, then the address. */
function gatewayAttribute(gateway: Uint8Array, dst: IpPrefix): Buffer {
  if (gateway.length === dst.ip.length) return attribute(RTA_GATEWAY, gateway);
  return attribute(RTA_VIA, Buffer.concat([Buffer.from([addressFamily(gateway), 0]), gateway]));
}

/** include/uapi/linux/rtnetlink.h */
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const SIZEOF_RTMSG = 12;
const RT_TABLE_UNSPEC = 0;
const RT_TABLE_MAIN = 254;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;
const RTNH_F_ONLINK = 4;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;

import { parseIp } from '../cni/address.ts';
import { EHOSTUNREACH, EINVAL, ENETUNREACH, EXDEV, errnoName } from '../kernel/errno.ts';
import { getLink } from '../kernel/netlink/link.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { linkTowards, routeOfIncoming } from '../kernel/netlink/route-lookup.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { readSysctl } from '../kernel/sysctl.ts';
import type { PacketHeaders } from './packet-headers.ts';
import type { MovedCounter } from './packet-watch.ts';
import type { Stop, Sysctl } from './stop.ts';

export type RoutingStop = Pick<Stop, 'cause' | 'text' | 'counter' | 'sysctls'>;

/**
 * Why a packet that came in by a link went no further than to the routing decision. To be called inside the namespace; `moved`
 * are the counters that have moved since it was sent. Throws NetlinkError and SystemError.
 */
export function routingStop(
  socket: NetlinkSocket,
  packet: PacketHeaders,
  iif: number | undefined,
  moved: readonly MovedCounter[],
): RoutingStop {
  const [source, target] = [parseIp(packet.source), parseIp(packet.target)];
  const link = iif === undefined ? undefined : getLink(socket, iif)?.name;
  if (source === undefined || target === undefined || iif === undefined || link === undefined)
    return { cause: 'unknown', text: 'the link that it came in by is gone' };
  const family = target.length === 4 ? 4 : 6;
  const { isOff, settings } = forwarding(family, link);
  const counted = (kind: keyof typeof COUNTERS): Pick<Stop, 'counter'> => {
    const counter = moved.find(({ name }) => name === COUNTERS[kind][family]);
    return counter === undefined ? {} : { counter };
  };
  if (counted('too-long').counter !== undefined)
    return {
      cause: 'too-long',
      text: 'it is longer than what the link takes that leads on',
      ...counted('too-long'),
    };
  if (counted('reverse-path').counter !== undefined)
    return {
      cause: 'reverse-path',
      text: `the way back to ${packet.source} does not lead by "${link}", which it came by`,
      ...counted('reverse-path'),
      sysctls: settingsOf(['all', link].map((name) => `net/ipv4/conf/${name}/rp_filter`)),
    };
  const route = routeOfIncoming(socket, { source, target, iif });
  const refused = route.kind === 'refused' ? route.errno : undefined;
  if (isOff && (refused === undefined ? route.kind === 'forward' : refused === EHOSTUNREACH))
    return {
      cause: 'forwarding-off',
      text: `forwarding of IPv${family} is off`,
      ...counted('forwarding-off'),
      sysctls: settings,
    };
  if (refused === ENETUNREACH)
    return { cause: 'no-route', text: `no route leads to ${packet.target}`, ...counted('no-route') };
  if (refused === EXDEV || (refused === EINVAL && hasRoute(socket, target)))
    return {
      cause: 'martian-source',
      text: `the kernel takes ${packet.source} for an address that nobody can send from by "${link}"`,
    };
  if (refused !== undefined) {
    const text = `the route to ${packet.target} refuses it (${errnoName(refused)})`;
    return { cause: 'refusing-route', text, ...counted('no-route') };
  }
  return { cause: 'unknown', text: `the kernel has a route to ${packet.target}, and did not take it` };
}

/** What the kernel counts of each, in IPv4 and IPv6. */
const COUNTERS = {
  'too-long': { 4: 'IpFragFails', 6: 'Ip6InTooBigErrors' },
  'reverse-path': { 4: 'TcpExtIPReversePathFilter', 6: '' },
  'forwarding-off': { 4: 'IpInAddrErrors', 6: 'Ip6InAddrErrors' },
  'no-route': { 4: 'IpExtInNoRoutes', 6: 'Ip6InNoRoutes' },
} as const;

/** Of IPv4 the link's setting counts, and `ip_forward` sets it for all; of IPv6 any of the two is enough. */
function forwarding(family: 4 | 6, link: string): { isOff: boolean; settings: Sysctl[] } {
  const settings = settingsOf(
    family === 4
      ? ['net/ipv4/ip_forward', `net/ipv4/conf/${link}/forwarding`]
      : ['net/ipv6/conf/all/forwarding', `net/ipv6/conf/${link}/force_forwarding`],
  );
  const isOn = ({ value }: Sysctl): boolean => value !== '0';
  return { isOff: family === 4 ? settings.at(-1)?.value === '0' : !settings.some(isOn), settings };
}

/** Those that the kernel has. */
function settingsOf(paths: readonly string[]): Sysctl[] {
  return paths.flatMap((path) => {
    try {
      return [{ name: path.replaceAll('/', '.'), value: readSysctl(path) }];
    } catch {
      return [];
    }
  });
}

/** For what the node itself sends there. */
function hasRoute(socket: NetlinkSocket, target: Uint8Array): boolean {
  try {
    return linkTowards(socket, target) !== undefined;
  } catch (error) {
    if (error instanceof NetlinkError) return false;
    throw error;
  }
}

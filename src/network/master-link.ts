import { CniError, ErrorCode } from '../cni/error.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';

/**
 * The link that another one is made on: the named one, or that of the default route, IPv4 before IPv6 and the lowest
 * metric first. `where` is whose links the socket sees, for the error. Throws CniError when there is none, or it is down.
 */
export function findMaster(
  socket: NetlinkSocket,
  name: string | undefined,
  where: 'on the node' | 'in the container',
): Link {
  const master = name === undefined ? defaultRouteLink(socket) : getLink(socket, name);
  if (master === undefined) {
    if (name === undefined) throw refusal('no default route interface found', NO_DEFAULT_ROUTE);
    const wish = `make the link, or name another one under "master"`;
    throw refusal(`failed to lookup master "${name}": there is no such link ${where}`, wish);
  }
  if (master.up) return master;
  // The kernel would say "Network is down", of the new link.
  throw refusal(`master "${master.name}" is down`, `ip link set ${master.name} up`);
}

const NO_DEFAULT_ROUTE =
  'name the link that it is to be made on under "master", or give the node a default route';

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;

function defaultRouteLink(socket: NetlinkSocket): Link | undefined {
  const candidates = listRoutes(socket)
    .filter(({ dst, table, type }) => /\/0$/.test(dst) && table === RT_TABLE_MAIN && type === RTN_UNICAST)
    .sort((one, other) => one.family - other.family || (one.priority ?? 0) - (other.priority ?? 0));
  const [index] = candidates.flatMap((route) => leadsOutOf(route) ?? []);
  return index === undefined ? undefined : getLink(socket, index);
}

function leadsOutOf({ oif, nextHops = [] }: Route): number | undefined {
  return oif ?? nextHops[0]?.oif;
}

function refusal(message: string, details: string): CniError {
  return new CniError(ErrorCode.internal, message, { details });
}

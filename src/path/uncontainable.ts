import { getLink, listLinks } from '../kernel/netlink/link.ts';
import { linkTowards } from '../kernel/netlink/route-lookup.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';

/**
 * Why what a container sends to an address, or by the link of an index, does not go through the hooks of the node, so that it could be contained there;
 * undefined when it does, or when it has no way to send it at all. Throws NetlinkError and SystemError.
 */
export function uncontainable(
  node: Namespace | undefined,
  pod: Namespace,
  way: Uint8Array | number,
  seesBridges: boolean,
): string | undefined {
  const inside = openRouteSocket(pod);
  const outside = openRouteSocket(node);
  try {
    const index = typeof way === 'number' ? way : linkTowards(inside, way);
    const link = index === undefined ? undefined : getLink(inside, index);
    if (link === undefined) return undefined;
    if (link.kind !== 'veth')
      return `"${link.name}" is a ${link.kind ?? 'link of its own'}: what it sends does not pass the node's network`;
    const links = listLinks(outside);
    const peer = links.find(
      ({ index, kind, link: other }) => index === link.link && kind === 'veth' && other === link.index,
    );
    if (peer === undefined) return `the other end of "${link.name}" is not on this node`;
    const master = links.find(({ index }) => index === peer.master);
    if (master === undefined || master.kind === 'vrf') return undefined;
    if (master.kind !== 'bridge')
      return `"${peer.name}" is a port of "${master.name}", a ${master.kind}, which has ways of its own`;
    if (!seesBridges)
      return `this kernel has no nftables for bridges (NF_TABLES_BRIDGE), and "${peer.name}" is a port of "${master.name}"`;
    return undefined;
  } finally {
    inside.close();
    outside.close();
  }
}

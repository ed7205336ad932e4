import { type Cidr, parseCidr } from '../cni/address.ts';
import { listAddresses } from '../kernel/netlink/address.ts';
import { listLinks } from '../kernel/netlink/link.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';

/** A network that the node reaches already. */
export interface HostPlace {
  readonly cidr: Cidr;
  /** The name of its link; empty for a route over several. */
  readonly link: string;
  /** `veth`, `bridge`; undefined for hardware. */
  readonly kind: string | undefined;
  /** As it is called in messages: `the address 10.0.0.5/16 of "eth0"`. */
  readonly text: string;
}

/** The addresses of the node, then its routes. */
export interface HostNetwork {
  readonly places: readonly HostPlace[];
}

/**
 * What the network namespace of this process has. The default route is left out, also in halves (0.0.0.0/1, as VPNs write
 * it), and so is what the kernel made of an address. Throws SystemError and NetlinkError.
 */
export function readHostNetwork(): HostNetwork {
  const socket = openRouteSocket();
  try {
    const links = new Map(listLinks(socket).map((link) => [link.index, link]));
    const place = (index: number | undefined, text: string, describe: (link: string) => string) => {
      const cidr = parseCidr(text);
      const { name = '', kind } = links.get(index ?? 0) ?? {};
      return cidr === undefined ? [] : [{ cidr, link: name, kind, text: describe(name) }];
    };
    const addresses = listAddresses(socket).flatMap(({ index, address, prefixLength }) => {
      const text = `${address}/${prefixLength}`;
      return place(index, text, (link) => `the address ${text} of "${link}"`);
    });
    const routes = listRoutes(socket)
      .filter(leadsSomewhere)
      .flatMap((route) => place(route.oif, route.dst, (link) => `the route to ${routeText(route, link)}`));
    return { places: [...addresses, ...routes] };
  } finally {
    socket.close();
  }
}

function leadsSomewhere({ type, table, protocol, dst }: Route): boolean {
  return (
    type === RTN_UNICAST && table === RT_TABLE_MAIN && protocol !== RTPROT_KERNEL && !/\/[01]$/.test(dst)
  );
}

function routeText({ dst, gateway }: Route, link: string): string {
  return `${dst}${gateway === undefined ? '' : ` via ${gateway}`}${link === '' ? '' : ` over "${link}"`}`;
}

/** include/uapi/linux/rtnetlink.h */
const RTN_UNICAST = 1;
const RT_TABLE_MAIN = 254;
const RTPROT_KERNEL = 2;

import {
  type Cidr,
  family,
  formatCidr,
  formatIp,
  type Ip,
  networkOf,
  parseCidr,
  parseIp,
} from '../cni/address.ts';
import type { Problem } from '../cni/problem.ts';
import { type Address, listAddresses } from '../kernel/netlink/address.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import type { RouteChange } from '../kernel/netlink/route-change.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import type { HostRoute } from './host-route.ts';

/**
 * RTPROT_*: whose a route is. From 64 on nobody has reserved any (include/uapi/linux/rtnetlink.h, rt_protos of iproute2)
 * but 80 (Calico), 99 (Open/R) and 186 to 198 (routing daemons).
 */
export const HOST_ROUTE_PROTOCOL = 67;

/** The node's routes, addresses and links as they are at one moment. */
export class NodeRoutes {
  readonly #socket: NetlinkSocket;
  readonly #addresses: readonly Address[];
  readonly #byDestination = new Map<string, Route[]>();
  readonly #links = new Map<string | number, Link | undefined>();

  /** Throws as NetlinkSocket.dump does. */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
    this.#addresses = listAddresses(socket);
    for (const route of listRoutes(socket)) {
      if (route.table !== RT_TABLE_MAIN) continue;
      const others = this.#byDestination.get(route.dst);
      if (others === undefined) this.#byDestination.set(route.dst, [route]);
      else others.push(route);
    }
  }

  /** Routes of the main table, the one that packets take first. */
  to(dst: Cidr): readonly Route[] {
    const routes = this.#byDestination.get(formatCidr(dst)) ?? [];
    return [...routes].sort((one, other) => (one.priority ?? 0) - (other.priority ?? 0));
  }

  /** Whether a packet that takes the route goes where it is meant to go. */
  leads(route: Route, { gw, dev }: HostRoute): boolean {
    if (route.type !== RTN_UNICAST || route.nextHops !== undefined) return false;
    if (route.gateway !== (gw && formatIp(gw))) return false;
    return dev === undefined || route.oif === this.link(dev)?.index;
  }

  link(nameOrIndex: string | number): Link | undefined {
    if (!this.#links.has(nameOrIndex)) this.#links.set(nameOrIndex, getLink(this.#socket, nameOrIndex));
    return this.#links.get(nameOrIndex);
  }

  /** The route as the kernel is told it, to be removed or to be put back. */
  asChange({ dst, gateway, oif, priority, protocol, scope, type, mtu, advmss }: Route): RouteChange {
    const link = oif === undefined ? undefined : { index: oif, name: this.link(oif)?.name ?? String(oif) };
    const to = { dst: parseCidr(dst) as Cidr, gateway: gateway === undefined ? undefined : parseIp(gateway) };
    return { ...to, link, priority, protocol, scope, type, mtu, advmss };
  }

  /** As `ip route` shows it. */
  textOf({ dst, gateway, oif, nextHops = [], type, protocol, priority }: Route): string {
    const words = type === RTN_UNICAST ? [dst] : [TYPES[type] ?? `type ${type}`, dst];
    const way = (to: { gateway?: string | undefined; oif?: number | undefined }): void => {
      if (to.gateway !== undefined) words.push('via', to.gateway);
      if (to.oif !== undefined) words.push('dev', this.link(to.oif)?.name ?? String(to.oif));
    };
    way({ gateway, oif });
    for (const hop of nextHops) {
      words.push('nexthop');
      way(hop);
    }
    words.push('proto', PROTOCOLS[protocol] ?? String(protocol));
    if (priority !== undefined) words.push('metric', String(priority));
    return words.join(' ');
  }

  /** What keeps the routes from being set on this node: each would take away what the node itself lives on, or lead nowhere. */
  problemsOf(routes: readonly HostRoute[]): Problem[] {
    const index = new DestinationIndex(routes);
    const problems: Problem[] = [];
    const covers = (ip: Ip, what: string): void => {
      for (const { path, dst } of index.covering(ip)) {
        const message = `${path}.dst: ${formatCidr(dst)} covers ${formatIp(ip)}, ${what}`;
        problems.push({ path: `${path}.dst`, message });
      }
    };
    const own = new Set(this.#addresses.map(({ address }) => address));
    for (const { address, index: link } of this.#addresses) {
      const ip = parseIp(address);
      if (ip !== undefined) covers(ip, `the node's own address on "${this.link(link)?.name ?? link}"`);
    }
    for (const ip of this.#defaultGateways()) covers(ip, 'the gateway of its default route');
    for (const { path, gw, dev } of routes) {
      if (gw !== undefined && own.has(formatIp(gw)))
        problems.push({ path: `${path}.gw`, message: `${path}.gw: ${formatIp(gw)} is this node itself` });
      else if (gw !== undefined) covers(gw, `the gateway of ${path}`);
      if (dev !== undefined && this.link(dev) === undefined) {
        const message = `${path}.dev: ${JSON.stringify(dev)} is no interface of this node`;
        problems.push({ path: `${path}.dev`, message });
      }
    }
    return problems;
  }

  #defaultGateways(): Ip[] {
    const routes = ['0.0.0.0/0', '::/0'].flatMap((dst) => this.#byDestination.get(dst) ?? []);
    const gateways = routes.flatMap(({ gateway, nextHops = [] }) => [
      gateway,
      ...nextHops.map((hop) => hop.gateway),
    ]);
    return [...new Set(gateways)].flatMap((gateway) =>
      gateway === undefined ? [] : (parseIp(gateway) ?? []),
    );
  }
}

/** Finds the destinations that an address is in without a look at each: a node has hundreds of peers. */
class DestinationIndex {
  readonly #byText = new Map<string, HostRoute>();
  readonly #lengths = { 4: new Set<number>(), 6: new Set<number>() };

  constructor(routes: readonly HostRoute[]) {
    for (const route of routes) {
      this.#byText.set(formatCidr(route.dst), route);
      this.#lengths[family(route.dst.ip)].add(route.dst.prefixLength);
    }
  }

  covering(ip: Ip): HostRoute[] {
    return [...this.#lengths[family(ip)]].flatMap(
      (prefixLength) => this.#byText.get(formatCidr(networkOf({ ip, prefixLength }))) ?? [],
    );
  }
}

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;
const TYPES: Record<number, string> = { 6: 'blackhole', 7: 'unreachable', 8: 'prohibit', 9: 'throw' };
const PROTOCOLS: Record<number, string> = {
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'ra',
  12: 'bird',
  16: 'dhcp',
};

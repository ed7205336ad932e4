import { type Address, decodeAddress } from '../kernel/netlink/address.ts';
import { decodeLink, type Link } from '../kernel/netlink/link.ts';
import { decodeLinkDetails } from '../kernel/netlink/link-details.ts';
import { decodeLinkHeader } from '../kernel/netlink/link-message.ts';
import { decodeNeighbour } from '../kernel/netlink/neighbour.ts';
import { decodeRoute, type Route } from '../kernel/netlink/route.ts';
import { type Found, knownValues } from './change.ts';
import { ROUTE_PROTOCOLS } from './rule-object.ts';

// What netlink tells of a namespace, as objects to compare: what somebody did. What time does is left out: counters,
// timers, indexes, the state of duplicate address detection and of a carrier, what was learnt from others.

/** The links of a moment, decoded when they are asked for: of hundreds only a few matter. */
export class LinkIndex {
  readonly #payloads = new Map<number, Buffer>();
  readonly #links = new Map<number, Link>();

  constructor(payloads: Iterable<Buffer>) {
    for (const payload of payloads) this.#payloads.set(decodeLinkHeader(payload).index, payload);
  }

  at(index: number): Link | undefined {
    const payload = this.#payloads.get(index);
    if (payload === undefined) return undefined;
    const link = this.#links.get(index) ?? decodeLink(payload);
    this.#links.set(index, link);
    return link;
  }

  /** A link that is not there any more has no name but its index. */
  name(index: number): string {
    return this.at(index)?.name ?? `link ${index}`;
  }
}

/** Throws MalformedMessageError, as all of these. */
export function linkObject(payload: Buffer, links: LinkIndex): Found {
  const link = decodeLink(payload);
  const { index, name, linkNetnsid, master } = link;
  const lower = link.link === undefined || link.link === index ? undefined : link.link;
  const values = knownValues({
    name,
    kind: link.kind,
    up: link.up,
    mac: link.mac,
    mtu: link.mtu,
    master: master === undefined ? undefined : links.name(master),
    link: lower === undefined || linkNetnsid !== undefined ? undefined : links.name(lower),
    // The number is this namespace's own, and given anew each time.
    linkElsewhere: lower !== undefined && linkNetnsid !== undefined ? true : undefined,
    noarp: (link.flags & IFF_NOARP) !== 0 ? true : undefined,
    promiscuity: link.promiscuity || undefined,
    alias: link.alias,
    mode: link.macvlanMode,
    ...decodeLinkDetails(payload),
  });
  return { kind: 'link', object: name, key: `link ${index}`, link: index, values };
}

export function addressObject(payload: Buffer, links: LinkIndex): Found | undefined {
  const address = decodeAddress(payload);
  if (address === undefined || isAutomatic(address, links)) return undefined;
  const { index, flags, scope } = address;
  const name = links.name(index);
  const values = knownValues({
    peer: address.peer,
    broadcast: address.broadcast,
    scope: scope === 0 ? undefined : (SCOPES[scope] ?? scope),
    label: address.label === name ? undefined : address.label,
    nodad: (flags & IFA_F_NODAD) !== 0 ? true : undefined,
    noprefixroute: (flags & IFA_F_NOPREFIXROUTE) !== 0 ? true : undefined,
  });
  const object = `${address.address}/${address.prefixLength}`;
  return { kind: 'address', object, of: name, link: index, values };
}

/**
 * A link-local address that a link gives itself, and one that a router offered. Before Linux 5.18 the kernel does not
 * say so of the former, but it is made of the MAC, or of a hash.
 */
function isAutomatic({ address, family, flags, index, protocol }: Address, links: LinkIndex): boolean {
  if (protocol === IFAPROT_KERNEL_RA || protocol === IFAPROT_KERNEL_LL) return true;
  if (family === 4 || !/^fe[89ab]/.test(address)) return false;
  if ((flags & IFA_F_STABLE_PRIVACY) !== 0) return true;
  const mac = links.at(index)?.mac?.split(':');
  if (mac === undefined || mac.length !== 6) return false;
  const [first = '0', ...rest] = mac;
  const bytes = [
    (Number.parseInt(first, 16) ^ 2).toString(16),
    ...rest.slice(0, 2),
    'ff',
    'fe',
    ...rest.slice(2),
  ];
  const groups = [0, 2, 4, 6].map((at) =>
    Number.parseInt((bytes[at] ?? '').padStart(2, '0') + bytes[at + 1], 16),
  );
  return address === `fe80::${groups.map((group) => group.toString(16)).join(':')}`;
}

export function routeObject(payload: Buffer, links: LinkIndex): Found | undefined {
  const route = decodeRoute(payload);
  if (route === undefined || route.table === RT_TABLE_LOCAL) return undefined;
  if (route.dst.startsWith('fe80:') || route.protocol === RTPROT_RA) return undefined;
  const { dst, family, oif, table, protocol, priority } = route;
  const values = knownValues({
    via: route.gateway,
    dev: oif === undefined ? undefined : links.name(oif),
    ways: route.nextHops && waysText(route, links),
    table: table === RT_TABLE_MAIN ? undefined : table,
    metric: priority,
    type: route.type === RTN_UNICAST ? undefined : (ROUTE_TYPES[route.type] ?? route.type),
    scope: family === 6 || route.scope === 0 ? undefined : (SCOPES[route.scope] ?? route.scope),
    protocol: ROUTE_PROTOCOLS[protocol] ?? protocol,
    src: route.src,
    tos: route.tos,
    onlink: route.onlink,
    mtu: route.mtu,
    advmss: route.advmss,
  });
  const key = `route ${dst} ${table} ${priority ?? 0} ${route.tos ?? 0}`;
  const isAutomatic = protocol === RTPROT_KERNEL;
  return {
    ...{ kind: 'route', object: dst, key, values },
    ...(oif === undefined ? {} : { link: oif }),
    ...(isAutomatic ? { isAutomatic } : {}),
  };
}

function waysText({ nextHops = [] }: Route, links: LinkIndex): string {
  const ways = nextHops.map(({ gateway, oif, weight }) => {
    const via = gateway === undefined ? '' : `via ${gateway} `;
    return `${via}dev ${links.name(oif)} weight ${weight}`;
  });
  return ways.sort().join(', ');
}

export function neighbourObject(payload: Buffer, links: LinkIndex): Found | undefined {
  const neighbour = decodeNeighbour(payload);
  if (neighbour === undefined) return undefined;
  const { index, address, mac } = neighbour;
  return {
    kind: 'neighbour',
    object: address,
    of: links.name(index),
    link: index,
    values: knownValues({ mac }),
  };
}

/** include/uapi/linux/if.h, if_addr.h, rtnetlink.h, and fib_rules.h */
const IFF_NOARP = 0x80;
const IFA_F_NODAD = 0x02;
const IFA_F_NOPREFIXROUTE = 0x200;
const IFA_F_STABLE_PRIVACY = 0x800;
const IFAPROT_KERNEL_RA = 2;
const IFAPROT_KERNEL_LL = 3;
const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;
const RTN_UNICAST = 1;
const RTPROT_KERNEL = 2;
const RTPROT_RA = 9;
const SCOPES: Readonly<Record<number, string>> = { 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' };
const ROUTE_TYPES: Readonly<Record<number, string>> = {
  ...{ 2: 'local', 3: 'broadcast', 4: 'anycast', 5: 'multicast' },
  ...{ 6: 'blackhole', 7: 'unreachable', 8: 'prohibit', 9: 'throw' },
};

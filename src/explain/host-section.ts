import { contains, parseCidr } from '../cni/address.ts';
import type { Link } from '../kernel/netlink/link.ts';
import { PORT_FORWARDING } from '../kernel/netlink/port-state.ts';
import { readSysctl } from '../kernel/sysctl.ts';
import type { Contents } from '../node/contents.ts';
import { addressLines, linkText } from './container-section.ts';

/** The node's end of the attachment: the link, what it is a port of, and the routes that lead to its addresses. */
export function hostLines(host: Contents, inside: Link | undefined, addresses: readonly string[]): string[] {
  const end = hostEnd(host, inside);
  if (end === undefined) return ['no link of the node belongs to it'];
  const master = host.links.find(({ index }) => index === end.master);
  return [
    `${linkText(end)}${end.port === undefined ? '' : `, ${portText(end)}`}`,
    ...(master === undefined ? [] : [bridgeText(host, master)]),
    ...routesTo(host, addresses),
  ];
}

/** The kernel's settings on the node without which packets of the attachment go nowhere. */
export function sysctlLines(
  host: Contents,
  inside: Link | undefined,
  addresses: readonly string[],
): string[] {
  const end = hostEnd(host, inside);
  const bridge = host.links.find(({ index }) => index === end?.master)?.name;
  const has = (family: 4 | 6) => addresses.some((address) => address.includes(':') === (family === 6));
  const names = [
    ...(has(4) ? ['net/ipv4/ip_forward'] : []),
    ...(has(6) ? ['net/ipv6/conf/all/forwarding'] : []),
    ...(has(4) && bridge !== undefined ? [`net/ipv4/conf/${bridge}/route_localnet`] : []),
    ...(has(4) && bridge !== undefined ? [`net/ipv4/conf/${bridge}/rp_filter`] : []),
    ...(bridge !== undefined ? ['net/bridge/bridge-nf-call-iptables'] : []),
  ];
  return names.flatMap((name) => {
    const value = settingOf(name);
    return value === undefined ? [] : [`${name.replaceAll('/', '.')} ${value}`];
  });
}

/** The other end of a veth, or the link that a macvlan sits on. */
function hostEnd({ links }: Contents, inside: Link | undefined): Link | undefined {
  if (inside?.link === undefined) return undefined;
  const end = links.find(({ index }) => index === inside.link);
  // Indexes are of a namespace: a veth knows its other end, too.
  return inside.kind === 'veth' && end?.link !== inside.index ? undefined : end;
}

function portText({ port }: Link): string {
  const state = port?.state === PORT_FORWARDING ? 'forwards' : `does not forward (state ${port?.state})`;
  const options = [port?.hairpin ? 'hairpin' : '', port?.isolated ? 'isolated' : ''].filter(Boolean);
  return [state, ...options].join(', ');
}

function bridgeText(host: Contents, master: Link): string {
  const ports = host.links.filter((link) => link.master === master.index).length;
  const addresses = addressLines(host, master).join(', ') || 'no address';
  return `port of ${linkText(master)}, ${addresses}, ${ports} port${ports === 1 ? '' : 's'}`;
}

/** The one that a packet takes: that of the longest prefix. */
function routesTo({ routes, links }: Contents, addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => {
    const target = parseCidr(
      address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`,
    );
    if (target === undefined) return [];
    const fitting = routes
      .filter(({ table, dst }) => table === RT_TABLE_MAIN && contains(parseCidr(dst) ?? target, target.ip))
      .sort((one, other) => prefixLength(other.dst) - prefixLength(one.dst));
    const [route] = fitting;
    if (route === undefined) return [`there is no route to ${address}`];
    const out = links.find(({ index }) => index === route.oif)?.name ?? 'several';
    return [`route to ${address}: ${route.dst}${route.gateway ? ` via ${route.gateway}` : ''} dev ${out}`];
  });
}

function prefixLength(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** Undefined where the kernel has no such setting. */
function settingOf(name: string): string | undefined {
  try {
    return readSysctl(name);
  } catch {
    return undefined;
  }
}

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;

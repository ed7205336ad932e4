import type { Link } from '../kernel/netlink/link.ts';
import type { Route } from '../kernel/netlink/route.ts';
import type { Contents } from '../node/contents.ts';

/** The interface of the attachment, its addresses, and the routes that lead out of it. */
export function containerLines(contents: Contents, ifName: string, netns: string): string[] {
  const link = contents.links.find(({ name }) => name === ifName);
  if (link === undefined) {
    const names = contents.links.map(({ name }) => name).join(', ');
    return [`there is no "${ifName}" in ${netns}; there are ${names}`];
  }
  const routes = contents.routes.filter((route) => route.oif === link.index && isAsked(route));
  return [`${linkText(link)}, in ${netns}`, ...addressLines(contents, link), ...routes.map(routeText)];
}

/** `eth0: up, mtu 1500, 0a:58:0a:16:00:05, veth` */
export function linkText(link: Link): string {
  const state = link.up ? (link.running ? 'up' : 'up, but no carrier') : 'down';
  const facts = [state, `mtu ${link.mtu}`, link.mac, link.kind].filter((fact) => fact !== undefined);
  return `${link.name}: ${facts.join(', ')}`;
}

/** Those that somebody gave it; the link's own are noise. */
export function addressLines({ addresses }: Contents, { index }: Link): string[] {
  return addresses
    .filter((address) => address.index === index && address.scope !== RT_SCOPE_LINK)
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
}

function routeText({ dst, gateway, priority, mtu }: Route): string {
  const via = gateway === undefined ? '' : ` via ${gateway}`;
  const metric = priority === undefined || dst.includes(':') ? '' : ` metric ${priority}`;
  return `route ${dst}${via}${metric}${mtu === undefined ? '' : ` mtu ${mtu}`}`;
}

/** Not what follows from an address. */
function isAsked({ table, protocol }: Route): boolean {
  return table !== RT_TABLE_LOCAL && protocol !== RTPROT_KERNEL;
}

/** include/uapi/linux/rtnetlink.h */
const RT_SCOPE_LINK = 253;
const RT_TABLE_LOCAL = 255;
const RTPROT_KERNEL = 2;

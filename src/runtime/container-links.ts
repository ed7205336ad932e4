import { type Link, listLinks } from '../kernel/netlink/link.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { type Namespace, openNamespace } from '../kernel/netns.ts';

/** The interfaces in a namespace. Throws SystemError, NotNetworkNamespaceError. */
export function linksIn(netns: string): Link[] {
  const namespace = openNamespace(netns);
  try {
    return linksOf(namespace);
  } finally {
    namespace.close();
  }
}

/** Not when the namespace is not there, or cannot be entered. */
export function hasInterface(netns: string, ifName: string): boolean {
  try {
    return linksIn(netns).some(({ name }) => name === ifName);
  } catch {
    return false;
  }
}

/** `eth0`, or the first of its kind that the namespace does not have, and that is none of `others`. Throws as `linksIn`. */
export function nextInterfaceName(netns: string, others: readonly string[] = []): string {
  const taken = new Set([...others, ...linksIn(netns).map(({ name }) => name)]);
  for (let number = 0; ; number += 1) if (!taken.has(`eth${number}`)) return `eth${number}`;
}

/** The same, of one that is open. Throws SystemError. */
export function linksOf(namespace: Namespace): Link[] {
  const socket = openRouteSocket(namespace);
  try {
    return listLinks(socket);
  } finally {
    socket.close();
  }
}

import { type Address, listAddresses } from '../kernel/netlink/address.ts';
import { type Link, listLinks } from '../kernel/netlink/link.ts';
import { namespaceId } from '../kernel/netlink/namespace-id.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import { type NetlinkSocket, openRouteSocket } from '../kernel/netlink/socket.ts';
import { currentNamespace, type Namespace, openNamespace } from '../kernel/netns.ts';

/** Links, addresses and routes of one namespace. */
export interface Contents {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  /** The number that it has for the namespace of this process; undefined where no link of it has its other end here. */
  readonly numberOfHere?: number | undefined;
}

/** What the namespace of this process has. Throws SystemError and NetlinkError. */
export function contentsHere(): Contents {
  return contentsOf(undefined);
}

/** What another has. Throws SystemError, NotNetworkNamespaceError, and NetlinkError. */
export function contentsIn(netns: string): Contents {
  const namespace = openNamespace(netns);
  try {
    return contentsOf(namespace);
  } finally {
    namespace.close();
  }
}

/**
 * Whether the index in `link.link` is one of the namespace of this process. In any other the same index is another link:
 * a node in a container has containers of its own, with the same indexes.
 */
export function leadsHere({ linkNetnsid }: Link, { numberOfHere }: Contents): boolean {
  return linkNetnsid !== undefined && linkNetnsid === numberOfHere;
}

function contentsOf(namespace: Namespace | undefined): Contents {
  const socket = openRouteSocket(namespace);
  try {
    return {
      ...{ links: listLinks(socket), addresses: listAddresses(socket), routes: listRoutes(socket) },
      ...(namespace === undefined ? {} : { numberOfHere: numberOfHere(socket) }),
    };
  } finally {
    socket.close();
  }
}

function numberOfHere(socket: NetlinkSocket): number | undefined {
  const here = currentNamespace();
  try {
    return namespaceId(socket, here);
  } finally {
    here.close();
  }
}

import { type Address, listAddresses } from '../kernel/netlink/address.ts';
import { type Link, listLinks } from '../kernel/netlink/link.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { type Namespace, openNamespace } from '../kernel/netns.ts';

/** Links, addresses and routes of one namespace. */
export interface Contents {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
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

function contentsOf(namespace: Namespace | undefined): Contents {
  const socket = openRouteSocket(namespace);
  try {
    return { links: listLinks(socket), addresses: listAddresses(socket), routes: listRoutes(socket) };
  } finally {
    socket.close();
  }
}

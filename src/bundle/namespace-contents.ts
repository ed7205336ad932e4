import type { Json } from '../cni/json.ts';
import { listAddresses } from '../kernel/netlink/address.ts';
import { listLinks } from '../kernel/netlink/link.ts';
import { listRoutes } from '../kernel/netlink/route.ts';
import { listRules } from '../kernel/netlink/rule.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { openNamespace } from '../kernel/netns.ts';

/**
 * Links, addresses, routes and rules of a namespace, or of that of this process, as `cni-debug` reads them. Throws
 * SystemError, NotNetworkNamespaceError, and NetlinkError.
 */
export function namespaceContents(netns?: string): Json {
  const namespace = netns === undefined ? undefined : openNamespace(netns);
  try {
    const socket = openRouteSocket(namespace);
    try {
      const found = {
        netns,
        links: listLinks(socket),
        addresses: listAddresses(socket),
        routes: listRoutes(socket),
        rules: listRules(socket),
      };
      // Without what is undefined.
      return JSON.parse(JSON.stringify(found)) as Json;
    } finally {
      socket.close();
    }
  } finally {
    namespace?.close();
  }
}

import { contains, parseCidr, parseIp } from '../cni/address.ts';
import { listRoutes } from '../kernel/netlink/route.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';

/**
 * An address that nobody has, and that only default routes of these namespaces lead to: the first of the networks for
 * documentation that is not in use here. Throws NetlinkError and SystemError.
 */
export function nobody(family: 4 | 6, namespaces: readonly (Namespace | undefined)[]): Uint8Array {
  const used = namespaces.flatMap((namespace) => destinations(family, namespace));
  const addresses = ADDRESSES[family].map((text) => parseIp(text) as Uint8Array);
  const isFree = (address: Uint8Array): boolean => !used.some((cidr) => contains(cidr, address));
  return addresses.find(isFree) ?? (addresses[0] as Uint8Array);
}

/** RFC 5737, and RFC 3849 and 9637 */
const ADDRESSES = {
  4: ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  6: ['2001:db8::1', '3fff::1'],
} as const;

function destinations(family: 4 | 6, namespace: Namespace | undefined) {
  const socket = openRouteSocket(namespace);
  try {
    return listRoutes(socket)
      .filter((route) => route.family === family)
      .flatMap(({ dst }) => parseCidr(dst) ?? [])
      .filter(({ prefixLength }) => prefixLength > 0);
  } finally {
    socket.close();
  }
}

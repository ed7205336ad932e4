import { formatCidr, formatIp, networkOf, parseCidr, parseIp, parseMac } from '../cni/address.ts';
import { JsonNumber } from '../cni/json.ts';
import type { Result } from '../cni/result.ts';
import { type Address, listAddresses } from '../kernel/netlink/address.ts';
import { type Link, listLinks } from '../kernel/netlink/link.ts';
import { listRoutes, type Route } from '../kernel/netlink/route.ts';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { currentNamespace, type Namespace, openNamespace } from '../kernel/netns.ts';
import type { Finding } from './trace.ts';

/** What is in a namespace, and its path. */
export interface NamespaceContents {
  readonly path: string;
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
}

interface Contents extends NamespaceContents {
  readonly namespace: Namespace;
}

export interface Comparisons {
  /** Interfaces, MACs, addresses and routes of the result that the namespace does not have. */
  readonly differences: Finding[];
  /** What may be meant so: another sandbox than CNI_NETNS, or none. */
  readonly suspicions: Finding[];
}

/** A result beside the container's namespace. `at` is its path, such as `prevResult`. Throws what keeps it from looking. */
export function compareWithNamespace(result: Result, netns: string, at: string): Comparisons {
  const namespace = openNamespace(netns);
  try {
    const contents = read(namespace);
    const suspicions = [ownNamespace, sandboxes].flatMap((look) => look(result, contents, at));
    return { suspicions, differences: contentDifferences(result, contents, at) };
  } finally {
    namespace.close();
  }
}

/** Interfaces, MACs, addresses and routes of a result that a namespace does not have, which somebody has looked into. */
export function contentDifferences(result: Result, contents: NamespaceContents, at: string): Finding[] {
  return [links, addresses, routes].flatMap((compare) => compare(result, contents, at));
}

/** The same of prevResult, in words: for the CHECK of a plugin that made the container's interface. */
export function namespaceDifferences(prevResult: Result, netns: string): string[] {
  const { differences, suspicions } = compareWithNamespace(prevResult, netns, 'prevResult');
  const other = suspicions.filter(({ rule }) => rule === 'other-sandbox');
  return [...other, ...differences].map(({ message }) => message);
}

function read(namespace: Namespace): Contents {
  const socket = openRouteSocket(namespace);
  try {
    const links = listLinks(socket);
    const [addresses, routes] = [listAddresses(socket), listRoutes(socket)];
    return { namespace, path: namespace.path, links, addresses, routes };
  } finally {
    socket.close();
  }
}

function ownNamespace(_: Result, { namespace }: Contents): Finding[] {
  const own = currentNamespace();
  own.close();
  if (own.id !== namespace.id) return [];
  const message = `CNI_NETNS: ${namespace.path} is the plugin's own namespace`;
  return [{ rule: 'own-namespace', object: 'CNI_NETNS', message }];
}

/** Compared as inodes: one namespace has many paths. */
function sandboxes({ interfaces = [] }: Result, { namespace }: Contents, at: string): Finding[] {
  if (interfaces.length > 0 && interfaces.every(({ sandbox }) => !sandbox)) {
    const object = `${at}.interfaces`;
    return [
      { rule: 'no-sandbox', object, message: `${object}: none has a sandbox, so none is the container's` },
    ];
  }
  return interfaces.flatMap(({ sandbox }, index) => {
    const complaint = sandbox ? otherNamespace(sandbox, namespace) : undefined;
    if (complaint === undefined) return [];
    const object = `${at}.interfaces[${index}].sandbox`;
    return [{ rule: 'other-sandbox', object, message: `${object}: ${JSON.stringify(sandbox)} ${complaint}` }];
  });
}

function otherNamespace(sandbox: string, { id, path }: Namespace): string | undefined {
  try {
    const named = openNamespace(sandbox);
    named.close();
    return named.id === id ? undefined : `is another namespace than CNI_NETNS, ${path}`;
  } catch (error) {
    return `is not CNI_NETNS, ${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function links({ interfaces = [] }: Result, { links, path }: NamespaceContents, at: string): Finding[] {
  return interfaces.flatMap(({ name = '', mac = '', sandbox }, index) => {
    if (!sandbox) return [];
    const object = `${at}.interfaces[${index}]`;
    const link = links.find((link) => link.name === name);
    if (link === undefined) {
      const message = `${object}.name: there is no interface "${name}" in ${path}`;
      return [{ rule: 'missing-interface', object, message }];
    }
    if (mac === '' || parseMac(mac) === link.mac) return [];
    const message = `${object}.mac: "${name}" has ${link.mac ?? 'none'}, not ${mac}`;
    return [{ rule: 'other-mac', object, message }];
  });
}

function addresses(
  { interfaces = [], ips = [] }: Result,
  contents: NamespaceContents,
  at: string,
): Finding[] {
  const { links, addresses, path } = contents;
  return ips.flatMap(({ address, interface: position }, index) => {
    const cidr = parseCidr(address);
    const owner = position === undefined ? undefined : interfaces[position];
    // An address of a host interface is none of the container's.
    if (cidr === undefined || (owner !== undefined && !owner.sandbox)) return [];
    const link = links.find(({ name }) => name === owner?.name);
    // That the interface is missing has been said.
    if (owner !== undefined && link === undefined) return [];
    const onLink = addresses.filter((found) => link === undefined || found.index === link.index);
    const wanted = formatCidr(cidr);
    if (onLink.some((found) => `${found.address}/${found.prefixLength}` === wanted)) return [];
    const object = `${at}.ips[${index}]`;
    const where = owner === undefined ? path : `"${owner.name}" in ${path}`;
    const message = `${object}.address: ${wanted} is no address of ${where}`;
    return [{ rule: 'missing-address', object, message }];
  });
}

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;

function routes({ routes: wanted = [] }: Result, { routes, path }: NamespaceContents, at: string): Finding[] {
  return wanted.flatMap(({ dst, gw = '', table = 0 }, index) => {
    const cidr = parseCidr(dst);
    if (cidr === undefined) return [];
    const destination = formatCidr(networkOf(cidr));
    const gateway = parseIp(gw);
    // RT_TABLE_UNSPEC, which is 0, means the main one.
    const wantedTable = Number(table instanceof JsonNumber ? table.text : table) || RT_TABLE_MAIN;
    const via = gateway && formatIp(gateway);
    const fits = (route: Route) =>
      route.dst === destination &&
      route.table === wantedTable &&
      (via === undefined || gatewaysOf(route).includes(via));
    if (routes.some(fits)) return [];
    const object = `${at}.routes[${index}]`;
    const message = `${object}: there is no route to ${destination}${via ? ` via ${via}` : ''} in ${path}`;
    return [{ rule: 'missing-route', object, message }];
  });
}

function gatewaysOf({ gateway, nextHops = [] }: Route): (string | undefined)[] {
  return [gateway, ...nextHops.map((hop) => hop.gateway)];
}

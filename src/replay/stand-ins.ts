import { parseCidr, parseIp } from '../cni/address.ts';
import { latestResult } from '../cni/conversion.ts';
import { isObject, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { type Result, readResult, versionOfResult } from '../cni/result.ts';
import { latestVersion } from '../cni/version.ts';
import { EEXIST } from '../kernel/errno.ts';
import { addAddress } from '../kernel/netlink/address-change.ts';
import { getLink } from '../kernel/netlink/link.ts';
import { changeLink } from '../kernel/netlink/link-change.ts';
import { createBridge, createVeth } from '../kernel/netlink/link-create.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { addRoute } from '../kernel/netlink/route-change.ts';
import { type NetlinkSocket, openRouteSocket } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';
import { nodeLinksIn } from './named-in-configuration.ts';

/** The other ends of what stands in for links of a container, and of the node. */
const hostEnd = (index: number) => `replay${index}`;
const farEnd = (index: number) => `replay-far${index}`;

/**
 * Makes what the plugins before this one had made, as prevResult says it: the interfaces of the container with their
 * MACs, addresses and routes, their ends on the node, and the bridge that these are ports of. And the links that the
 * configuration builds on. Returns what it made, a word each. Throws NetlinkError, and CniError for a result that is none.
 */
export function makeStandIns(document: JsonObject, container: Namespace | undefined): string[] {
  const node = openRouteSocket();
  try {
    const prevResult = lookUp(document, 'prevResult');
    const made = isObject(prevResult) && container ? standInsOf(prevResult, node, container) : [];
    const links = nodeLinksIn(document).filter((name) => getLink(node, name) === undefined);
    for (const [index, name] of links.entries()) {
      const peer = farEnd(index);
      createVeth(node, { name, up: true }, { name: peer });
      bringUp(node, peer);
    }
    return [...links, ...made];
  } finally {
    node.close();
  }
}

function standInsOf(document: JsonObject, node: NetlinkSocket, container: Namespace): string[] {
  const version = versionOfResult(document, latestVersion);
  const result = latestResult(readResult(document, version, 'prevResult'), version);
  const { interfaces = [] } = result;
  const inside = openRouteSocket(container);
  try {
    const ends = interfaces.filter(({ sandbox }) => !sandbox).map(({ name = '' }) => name);
    // The reference's bridge names itself first, and the host's end of the container's link behind it.
    const bridgeName = ends.length > 1 ? ends[0] : undefined;
    const bridge = bridgeName === undefined ? undefined : createBridge(node, { name: bridgeName, up: true });
    const hostEnds = ends.slice(bridgeName === undefined ? 0 : 1);
    const made = interfaces.flatMap(({ name = '', mac, sandbox }, index) => {
      if (!sandbox || name === '') return [];
      const end = hostEnds.shift() ?? hostEnd(index);
      const isKnown = getLink(inside, name) !== undefined;
      if (!isKnown)
        createVeth(
          node,
          { name: end, up: true, master: bridge },
          { name, mac: mac || undefined, namespace: container },
        );
      bringUp(inside, name);
      return isKnown ? [] : [name];
    });
    for (const index of (result.ips ?? []).keys()) addIp(result, index, { node, inside, bridge: bridgeName });
    addRoutes(result, inside);
    return [...(bridgeName === undefined ? [] : [bridgeName]), ...made];
  } finally {
    inside.close();
  }
}

interface Places {
  readonly node: NetlinkSocket;
  readonly inside: NetlinkSocket;
  readonly bridge: string | undefined;
}

/** The address in the container, and that of its gateway on the bridge. */
function addIp(result: Result, index: number, { node, inside, bridge }: Places): void {
  const { address = '', gateway = '' } = result.ips?.[index] ?? {};
  const own = parseCidr(address);
  const link = getLink(inside, interfaceOf(result, result.ips?.[index]));
  if (own === undefined || link === undefined) return;
  unlessThere(() => addAddress(inside, link, { ...own, noDad: true }));
  const ip = parseIp(gateway);
  const port = bridge === undefined ? undefined : getLink(node, bridge);
  if (ip !== undefined && port !== undefined)
    unlessThere(() => addAddress(node, port, { ip, prefixLength: own.prefixLength, noDad: true }));
}

function addRoutes(result: Result, inside: NetlinkSocket): void {
  const { routes = [], ips = [] } = result;
  for (const { dst, gw } of routes) {
    const target = parseCidr(dst);
    if (target === undefined) continue;
    const isOfFamily = ({ gateway = '' }: Ip) => parseIp(gateway)?.length === target.ip.length;
    const way = ips.find((ip) => gw !== undefined && ip.gateway === gw) ?? ips.find(isOfFamily);
    const gateway = parseIp(gw ?? way?.gateway ?? '');
    const link = getLink(inside, interfaceOf(result, way));
    if (link === undefined) continue;
    unlessThere(() =>
      addRoute(inside, { dst: target, gateway, link, onlink: gateway !== undefined }, 'append'),
    );
  }
}

type Ip = NonNullable<Result['ips']>[number];

/** By name: the one that an address says it is of, else the first of the container but the loopback. */
function interfaceOf({ interfaces = [] }: Result, ip: Ip | undefined): string {
  const named = ip?.interface === undefined ? undefined : interfaces[Number(ip.interface)];
  return named?.name ?? interfaces.find(({ name, sandbox }) => sandbox && name !== 'lo')?.name ?? '';
}

/** "lo" has its address by itself, and two addresses may have one gateway. */
function unlessThere(add: () => void): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === EEXIST)) throw error;
  }
}

function bringUp(socket: NetlinkSocket, name: string): void {
  const link = getLink(socket, name);
  if (link !== undefined) changeLink(socket, link, { up: true });
}

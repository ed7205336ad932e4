import { parseCidr, parseIp } from '../cni/address.ts';
import { latestResult } from '../cni/conversion.ts';
import { isObject, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { type Result, readResult, versionOfResult } from '../cni/result.ts';
import { latestVersion } from '../cni/version.ts';
import { addAddress } from '../kernel/netlink/address-change.ts';
import { getLink } from '../kernel/netlink/link.ts';
import { changeLink } from '../kernel/netlink/link-change.ts';
import { createBridge, createVeth } from '../kernel/netlink/link-create.ts';
import { addRoute } from '../kernel/netlink/route-change.ts';
import { type NetlinkSocket, openRouteSocket } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';
import { mastersIn } from './named-in-configuration.ts';

/** The other ends of what stands in for something. */
const peerName = (index: number) => `replay${index}`;

/**
 * Makes what the plugins before this one had made, as prevResult says it: the interfaces of the container with their
 * MACs, addresses and routes, their ends on the node, and the bridge that these are ports of. And the links that the
 * configuration builds on. Returns what it made, a word each. Throws NetlinkError, and CniError for a result that is none.
 */
export function makeStandIns(document: JsonObject, container: Namespace | undefined): string[] {
  const node = openRouteSocket();
  try {
    const masters = mastersIn(document).filter((name) => getLink(node, name) === undefined);
    masters.forEach((name, index) => {
      createVeth(node, { name, up: true }, { name: peerName(index) });
      bringUp(node, peerName(index));
    });
    const prevResult = lookUp(document, 'prevResult');
    const made =
      isObject(prevResult) && container ? standInsOf(prevResult, node, container, masters.length) : [];
    return [...masters, ...made];
  } finally {
    node.close();
  }
}

function standInsOf(document: JsonObject, node: NetlinkSocket, container: Namespace, from: number): string[] {
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
      const end = hostEnds.shift() ?? peerName(from + index);
      const known = getLink(inside, name);
      if (known === undefined)
        createVeth(
          node,
          { name: end, up: true, master: bridge },
          { name, mac: mac || undefined, namespace: container },
        );
      bringUp(inside, name);
      return [name];
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
function addIp({ ips = [], interfaces = [] }: Result, index: number, { node, inside, bridge }: Places): void {
  const { address = '', gateway = '', interface: position } = ips[index] ?? {};
  const own = parseCidr(address);
  const named = position === undefined ? undefined : interfaces[Number(position)];
  const name = named?.name ?? interfaces.find(({ sandbox }) => sandbox)?.name ?? '';
  const link = getLink(inside, name);
  if (own === undefined || link === undefined) return;
  addAddress(inside, link, { ...own, noDad: true });
  const ip = parseIp(gateway);
  const port = bridge === undefined ? undefined : getLink(node, bridge);
  if (ip !== undefined && port !== undefined)
    addAddress(node, port, { ip, prefixLength: own.prefixLength, noDad: true });
}

function addRoutes({ routes = [], ips = [], interfaces = [] }: Result, inside: NetlinkSocket): void {
  for (const { dst, gw } of routes) {
    const target = parseCidr(dst);
    if (target === undefined) continue;
    const sameFamily = ips.find(({ address }) => parseCidr(address)?.ip.length === target.ip.length);
    const gateway = parseIp(gw ?? sameFamily?.gateway ?? '');
    const link = getLink(inside, interfaces.find(({ sandbox }) => sandbox)?.name ?? '');
    if (link === undefined) continue;
    addRoute(inside, { dst: target, gateway, link, onlink: gateway !== undefined }, 'append');
  }
}

function bringUp(socket: NetlinkSocket, name: string): void {
  const link = getLink(socket, name);
  if (link !== undefined) changeLink(socket, link, { up: true });
}

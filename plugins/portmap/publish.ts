import { family, type Ip, parseCidr } from '../../src/cni/address.ts';
import { integerOf } from '../../src/cni/json.ts';
import type { Result } from '../../src/cni/result.ts';
import { getLink } from '../../src/kernel/netlink/link.ts';
import { linkTowards } from '../../src/kernel/netlink/route-lookup.ts';
import { type NetlinkSocket, openRouteSocket } from '../../src/kernel/netlink/socket.ts';
import type { Attachment } from '../../src/network/attachment.ts';
import { missingHostPorts, planHostPorts } from '../../src/network/host-port.ts';
import { presentNat } from '../../src/network/present-nat.ts';
import type { Publication, PublishedAddress } from '../../src/network/publication.ts';
import { Sysctls } from '../../src/network/sysctls.ts';
import { refuseDifferences } from '../../src/trace/differences.ts';
import type { Surroundings } from '../built-in.ts';
import type { Settings } from './configuration.ts';
import { isGone } from './gone-owner.ts';
import { flushConnections } from './stale-connections.ts';

/** ADD: leads the ports to the container's addresses; all of them, or none. */
export function publish(
  owner: Attachment,
  settings: Settings,
  result: Result,
  surroundings: Surroundings,
): void {
  const { ruleset, warn } = surroundings;
  const publication = seenFromHere(owner, settings, result, surroundings);
  const { addresses, ports, masquerade } = publication;
  if (addresses.length === 0) {
    const message = `runtimeConfig.portMappings: prevResult has no address of "${owner.ifName}" that ports could lead to`;
    warn('no-address', 'prevResult.ips', message);
    return;
  }
  if (masquerade) allowLocalhost(addresses, new Sysctls(surroundings));
  const takenOver = (message: string) => warn('host-port-taken-over', 'runtimeConfig.portMappings', message);
  planHostPorts(ruleset, owner, publication, { isGone, takenOver });
  // What was sent to these ports before goes where the rules say from now on.
  ruleset.plan({ write() {}, after: () => flushConnections(ports, surroundings) });
  ruleset.conclude();
}

/** CHECK: all that is missing is one error. */
export function examine(
  owner: Attachment,
  settings: Settings,
  result: Result,
  surroundings: Surroundings,
): void {
  const publication = seenFromHere(owner, settings, result, surroundings);
  const missing = missingHostPorts(presentNat(surroundings.ruleset.nftables), owner, publication);
  refuseDifferences(missing, 'node');
}

/** What is led to the interface; `linkTo` says behind which link of the node an address is. */
export function publicationOf(
  ifName: string,
  { portMappings: ports, snat: masquerade, masqAll: masqueradeAll }: Settings,
  result: Result,
  linkTo: (ip: Ip) => string | undefined,
): Publication {
  const addresses = addressesOf(result, ifName).map((ip) => ({ ip, link: linkTo(ip) }));
  return { ports, addresses, masquerade, masqueradeAll };
}

function seenFromHere(
  { ifName }: Attachment,
  settings: Settings,
  result: Result,
  { step }: Surroundings,
): Publication {
  const host = openRouteSocket(undefined, step);
  try {
    return publicationOf(ifName, settings, result, (ip) => linkNameTowards(host, ip));
  } finally {
    host.close();
  }
}

/** The first of each family that is of this interface of the container, or of none that is named. */
function addressesOf({ ips = [], interfaces = [] }: Result, ifName: string): Uint8Array[] {
  const found = new Map<4 | 6, Uint8Array>();
  for (const { address, interface: position } of ips) {
    const cidr = parseCidr(address);
    const of = position === undefined ? undefined : interfaces[integerOf(position) ?? -1];
    const isForeign = of !== undefined && (of.name !== ifName || !of.sandbox);
    if (cidr === undefined || isForeign || found.has(family(cidr.ip))) continue;
    found.set(family(cidr.ip), cidr.ip);
  }
  return [...found.values()];
}

function linkNameTowards(host: NetlinkSocket, ip: Uint8Array): string | undefined {
  const index = linkTowards(host, ip);
  return index === undefined ? undefined : getLink(host, index)?.name;
}

/** The kernel drops packets of 127.0.0.1 on every link but the loopback, unless it is told. */
function allowLocalhost(addresses: readonly PublishedAddress[], sysctls: Sysctls): void {
  for (const { ip, link } of addresses) {
    if (link === undefined || family(ip) !== 4) continue;
    sysctls.prefer(`net/ipv4/conf/${link}/route_localnet`, '1');
  }
}

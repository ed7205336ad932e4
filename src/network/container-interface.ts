import { type Cidr, family, type Ip, networkOf } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { ENODEV } from '../kernel/errno.ts';
import { type Address, isDuplicate, isTentative, listAddresses } from '../kernel/netlink/address.ts';
import { addAddress } from '../kernel/netlink/address-change.ts';
import { present } from '../kernel/netlink/attribute.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../kernel/netlink/link-change.ts';
import { IFF_LOWER_UP } from '../kernel/netlink/link-message.ts';
import { openMonitor } from '../kernel/netlink/monitor.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import { addRoute, type RouteChange } from '../kernel/netlink/route-change.ts';
import { type NetlinkSocket, openRouteSocket, type Step } from '../kernel/netlink/socket.ts';
import { type Namespace, runIn } from '../kernel/netns.ts';
import type { Sysctls } from './sysctls.ts';

/** `routes` of a result: https://www.cni.dev/docs/spec/#add-success */
export interface InterfaceRoute {
  readonly dst: Cidr;
  readonly gateway: Ip | undefined;
  readonly mtu?: number | undefined;
  readonly advmss?: number | undefined;
  readonly priority?: number | undefined;
  readonly table?: number | undefined;
  readonly scope?: number | undefined;
}

export interface InterfaceSettings {
  readonly addresses: readonly Cidr[];
  readonly routes: readonly InterfaceRoute[];
  /** Duplicate address detection of IPv6: waited for, instead of left out. Without a carrier it begins when there is one. */
  readonly detectDuplicates: boolean;
  /** IPv6 addresses announce themselves when the link comes up, as those of IPv4 do in any case. */
  readonly announceIpv6?: boolean;
}

/**
 * Gives the container's interface its addresses and routes, and sets it up; what it is then. Its addresses are usable
 * when this returns, if there is a carrier. Throws NetlinkError, SystemError and CniError.
 */
export function configureInterface(
  container: Namespace,
  ifName: string,
  settings: InterfaceSettings,
  sysctls: Sysctls,
  step?: Step,
): Link {
  const { addresses, routes, detectDuplicates } = settings;
  const inside = runIn(container, () => {
    setSysctls(sysctls, ifName, settings);
    return openRouteSocket(undefined, step);
  });
  try {
    const link = linkOf(inside, ifName, container);
    const ofFamily = (wanted: 4 | 6) => addresses.filter(({ ip }) => family(ip) === wanted);
    if (ofFamily(6).length > 0) requireIpv6Mtu(link);
    for (const address of ofFamily(4)) addAddress(inside, link, address);
    // With an address it announces itself as it goes up.
    changeLink(inside, link, { up: true });
    // One of IPv6 gets no route while the link is down.
    for (const address of ofFamily(6)) addAddress(inside, link, { ...address, noDad: !detectDuplicates });
    if (detectDuplicates && ofFamily(6).length > 0) waitUntilUnique(inside, link, container, step);
    for (const { dst, ...route } of routes) {
      // Before what another interface of the container has brought, as the reference does.
      addRoute(inside, present<RouteChange>({ ...route, dst: networkOf(dst), link }), 'before');
    }
    return { ...link, up: true };
  } finally {
    inside.close();
  }
}

/** An interface without addresses, set up or left as it is. Throws CniError when it is not there. */
export function prepareInterface(
  container: Namespace,
  ifName: string,
  { up }: { up: boolean },
  step?: Step,
): Link {
  const inside = openRouteSocket(container, step);
  try {
    const link = linkOf(inside, ifName, container);
    if (up) changeLink(inside, link, { up });
    return link;
  } finally {
    inside.close();
  }
}

/** Removes an interface, if `mayRemove` says so. What is gone already is success. Throws NetlinkError. */
export function removeInterface(
  container: Namespace,
  ifName: string,
  mayRemove: (link: Link) => boolean,
  step?: Step,
): void {
  const inside = openRouteSocket(container, step);
  try {
    const link = getLink(inside, ifName);
    if (link !== undefined && mayRemove(link)) deleteLink(inside, link);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === ENODEV)) throw error;
  } finally {
    inside.close();
  }
}

function linkOf(inside: NetlinkSocket, ifName: string, { path }: Namespace): Link {
  const link = getLink(inside, ifName);
  if (link !== undefined) return link;
  throw new CniError(ErrorCode.tryAgainLater, `"${ifName}" in ${path} was removed while it was being set up`);
}

/** The kernel would say "Invalid argument", of the address. */
function requireIpv6Mtu({ name, mtu }: Link): void {
  if (mtu >= IPV6_MIN_MTU) return;
  throw new CniError(ErrorCode.internal, `"${name}" has MTU ${mtu}, and IPv6 needs ${IPV6_MIN_MTU}`, {
    details: 'a larger "mtu", or one of the link below; or no addresses of IPv6',
  });
}

/** RFC 8200, section 5 */
const IPV6_MIN_MTU = 1280;

function setSysctls(
  sysctls: Sysctls,
  ifName: string,
  { addresses, detectDuplicates, announceIpv6 = false }: InterfaceSettings,
): void {
  if (detectDuplicates) sysctls.prefer(`net/ipv6/conf/${ifName}/enhanced_dad`, '1');
  sysctls.prefer(`net/ipv6/conf/${ifName}/accept_dad`, detectDuplicates ? '1' : '0');
  sysctls.prefer(`net/ipv4/conf/${ifName}/arp_notify`, '1');
  if (announceIpv6) sysctls.prefer(`net/ipv6/conf/${ifName}/ndisc_notify`, '1');
  if (!addresses.some(({ ip }) => family(ip) === 6)) return;
  for (const name of ['lo', ifName]) sysctls.require(`net/ipv6/conf/${name}/disable_ipv6`, '0');
  sysctls.prefer(`net/ipv6/conf/${ifName}/keep_addr_on_down`, '1');
}

/** Detection takes a second or two: one probe, and a random delay before it (RFC 4862, section 5.4). */
const detectionTimeoutMs = 10_000;

function waitUntilUnique(inside: NetlinkSocket, link: Link, container: Namespace, step?: Step): void {
  const isOver = () => areUnique(listAddresses(inside, link.index), link) || !hasCarrier(inside, link);
  const look = () => (isOver() ? true : undefined);
  if (look()) return;
  const monitor = openMonitor(['ipv6-address'], container, step);
  try {
    const operation = `wait for duplicate address detection of "${link.name}"`;
    monitor.waitFor({ operation, timeoutMs: detectionTimeoutMs, look, take: look });
  } finally {
    monitor.close();
  }
}

/** Not IFF_RUNNING, which comes later, in the kernel's own time. */
function hasCarrier(inside: NetlinkSocket, { index }: Link): boolean {
  return ((getLink(inside, index)?.flags ?? 0) & IFF_LOWER_UP) !== 0;
}

function areUnique(addresses: readonly Address[], { name }: Link): boolean {
  const taken = addresses.find(isDuplicate);
  if (taken === undefined) return !addresses.some(isTentative);
  throw new CniError(ErrorCode.internal, `address ${taken.address} of "${name}" is in use by somebody else`, {
    details: 'duplicate address detection found another owner on the link',
  });
}

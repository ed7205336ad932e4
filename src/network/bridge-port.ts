import { CniError, ErrorCode } from '../cni/error.ts';
import { EEXIST, ENODEV, ETIMEDOUT } from '../kernel/errno.ts';
import { addPortVlan, listPortVlans, removePortVlan } from '../kernel/netlink/bridge-vlan.ts';
import { getLink, type Link, OPERSTATE_UP } from '../kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../kernel/netlink/link-change.ts';
import { createVeth, type NewVeth, type NewVethPeer } from '../kernel/netlink/link-create.ts';
import type { LinkId } from '../kernel/netlink/link-message.ts';
import { openMonitor } from '../kernel/netlink/monitor.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { NetlinkSocket, Step } from '../kernel/netlink/socket.ts';
import type { Namespace } from '../kernel/netns.ts';
import { type Attachment, hostVethName, networkHash, ownerAlias, parseOwner } from './attachment.ts';
import type { Sysctls } from './sysctls.ts';
import type { Undo } from './undo.ts';

export interface PortSettings {
  /** Of both ends; 0 leaves it to the kernel. */
  readonly mtu: number;
  /** Of the container's end; the kernel chooses one unless given. */
  readonly mac: string | undefined;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  /** The VLAN of untagged frames; 0 for none. */
  readonly vlan: number;
  /** The VLANs of tagged frames. */
  readonly trunk: readonly number[];
  readonly preserveDefaultVlan: boolean;
}

/**
 * A veth pair between the bridge and the container, whose end is down so that it can be configured before anything
 * comes in. Throws NetlinkError, and CniError when the container has an interface of that name.
 */
export function createPort(
  host: NetlinkSocket,
  bridge: Link,
  container: Namespace,
  attachment: Attachment,
  settings: PortSettings,
  sysctls: Sysctls,
  undo: Undo,
): Link {
  const name = hostVethName(attachment);
  const mtu = settings.mtu || undefined;
  const peer = { name: attachment.ifName, namespace: container, mtu, mac: settings.mac };
  const port = makeVeth(host, { name, master: bridge, up: true, mtu }, peer, attachment);
  undo.push(`veth "${name}"`, () => removePort(host, port));
  // Not in the message that makes it, where the kernel drops the alias.
  const { hairpin, isolated } = settings;
  const options = hairpin || isolated ? { hairpin, isolated } : undefined;
  changeLink(host, port, { alias: ownerAlias(attachment), port: options });
  sysctls.prefer(`net/ipv6/conf/${name}/accept_ra`, '0');
  setVlans(host, port, settings);
  return port;
}

/** The node's end of an attachment, as `createPort` makes it; undefined when there is none. Throws NetlinkError. */
export function findPort(host: NetlinkSocket, attachment: Attachment): Link | undefined {
  const link = getLink(host, hostVethName(attachment));
  return link !== undefined && isPortOf(link, attachment) ? link : undefined;
}

/** Removes both ends. What is gone already is success: it went with the container's namespace. Throws NetlinkError. */
export function removePort(host: NetlinkSocket, port: LinkId): void {
  try {
    deleteLink(host, port);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === ENODEV)) throw error;
  }
}

/**
 * Removes a link that by name and alias belongs to an attachment of the network, unless the hash of its owner is
 * among the `living`.
 */
export function removeOwnedPort(
  host: NetlinkSocket,
  link: Link,
  network: string,
  living: ReadonlySet<string>,
): void {
  const owner = parseOwner(link.alias ?? '');
  if (owner?.networkHash !== networkHash(network) || living.has(owner.ownerHash)) return;
  if (link.kind === 'veth' && link.name === `veth${owner.ownerHash.slice(0, 11)}`) removePort(host, link);
}

/** Whether the node's end of a container's interface was made for an attachment of ours, whichever that is. */
export function hasOwnedPeer(host: NetlinkSocket, inside: Link): boolean {
  const peer = inside.link === undefined ? undefined : getLink(host, inside.link);
  // An index of another namespace may be anything here.
  return peer?.kind === 'veth' && peer.link === inside.index && parseOwner(peer.alias ?? '') !== undefined;
}

/** By name and alias; without an alias it was left behind by an ADD that was killed right after making it. */
function isPortOf({ name, kind, alias }: Link, attachment: Attachment): boolean {
  if (kind !== 'veth' || name !== hostVethName(attachment)) return false;
  return alias === undefined || alias === ownerAlias(attachment);
}

/** Waits until frames pass. Throws CniError after `timeoutMs`, or when bridge or port were removed meanwhile. */
export function waitForPort(
  host: NetlinkSocket,
  { name }: LinkId,
  bridge: LinkId,
  timeoutMs: number,
  step?: Step,
): Link {
  const look = () => forwarding(getLink(host, name), name, bridge);
  const found = look();
  if (found !== undefined) return found;
  const monitor = openMonitor(['link'], undefined, step);
  try {
    return monitor.waitFor({
      operation: `wait for port "${name}" of "${bridge.name}"`,
      timeoutMs,
      look,
      take: (announcement) => {
        if (announcement.kind !== 'link' || announcement.link.name !== name) return undefined;
        return forwarding(announcement.deleted ? undefined : announcement.link, name, bridge);
      },
    });
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === ETIMEDOUT)) throw error;
    const state = OPERSTATES[getLink(host, name)?.operstate ?? 0];
    const details = `port "${name}" of bridge "${bridge.name}" carried no frames after ${timeoutMs} ms`;
    throw new CniError(ErrorCode.internal, `bridge port in error state: ${state}`, { details, cause: error });
  } finally {
    monitor.close();
  }
}

/** RFC 2863, as Linux numbers them. */
const OPERSTATES = ['unknown', 'not-present', 'down', 'lower-layer-down', 'testing', 'dormant', 'up'];

function forwarding(port: Link | undefined, name: string, bridge: LinkId): Link | undefined {
  if (port === undefined || port.master !== bridge.index) throw vanished(name);
  return port.operstate === OPERSTATE_UP ? port : undefined;
}

function vanished(name: string): CniError {
  return new CniError(
    ErrorCode.tryAgainLater,
    `"${name}" or its bridge was removed while it was being set up`,
  );
}

function makeVeth(host: NetlinkSocket, veth: NewVeth, peer: NewVethPeer, { ifName }: Attachment): Link {
  try {
    return createVeth(host, veth, peer);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === EEXIST)) throw error;
    // One of the two names is taken.
    const message = `container veth name ("${ifName}") peer provided ("${veth.name}") already exists`;
    const details =
      getLink(host, veth.name) === undefined
        ? `the container has an interface "${ifName}": ask for another CNI_IFNAME`
        : 'this attachment exists: a DEL comes before another ADD';
    throw new CniError(ErrorCode.internal, message, { details, cause: error });
  }
}

function setVlans(host: NetlinkSocket, port: Link, { vlan, trunk, preserveDefaultVlan }: PortSettings): void {
  if (vlan === 0 && trunk.length === 0) return;
  if (!preserveDefaultVlan) {
    const own = listPortVlans(host).filter(({ index }) => index === port.index);
    for (const range of own) removePortVlan(host, port, range);
  }
  if (vlan !== 0) addPortVlan(host, port, { vid: vlan, pvid: true, untagged: true });
  for (const vid of trunk) addPortVlan(host, port, { vid });
}

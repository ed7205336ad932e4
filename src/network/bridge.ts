import { CniError, ErrorCode } from '../cni/error.ts';
import { EEXIST, EOPNOTSUPP } from '../kernel/errno.ts';
import { getLink, type Link, listLinks } from '../kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../kernel/netlink/link-change.ts';
import { createBridge } from '../kernel/netlink/link-create.ts';
import { IFF_PROMISC } from '../kernel/netlink/link-message.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import type { Sysctls } from './sysctls.ts';
import type { Undo } from './undo.ts';

export interface BridgeSettings {
  readonly name: string;
  /** 0 leaves it to the kernel. Of a bridge that exists it is not changed. */
  readonly mtu: number;
  readonly promiscuous: boolean;
  readonly vlanFiltering: boolean;
}

/** The bridge of that name, made if it is not there, and up. Throws NetlinkError, and CniError for a link of another kind. */
export function ensureBridge(
  host: NetlinkSocket,
  wanted: BridgeSettings,
  sysctls: Sysctls,
  undo: Undo,
): Link {
  const bridge = findBridge(host, wanted.name) ?? makeBridge(host, wanted, undo);
  // We want to own its routes, and before it is up.
  sysctls.prefer(`net/ipv6/conf/${wanted.name}/accept_ra`, '0');
  const promiscuous = wanted.promiscuous && (bridge.flags & IFF_PROMISC) === 0 ? true : undefined;
  if (!bridge.up || promiscuous) changeLink(host, bridge, { up: true, promiscuous });
  if (wanted.vlanFiltering) requireVlanFiltering(host, bridge);
  return bridge;
}

/** Undefined when there is no link of that name. Throws CniError for a link of another kind. */
export function findBridge(host: NetlinkSocket, name: string): Link | undefined {
  const link = getLink(host, name);
  if (link === undefined || link.kind === 'bridge') return link;
  throw new CniError(ErrorCode.internal, `"${name}" already exists but is not a bridge`, {
    details: `it is ${link.kind === undefined ? 'no virtual link' : `of kind ${link.kind}`}: name another one under "bridge", or remove it`,
  });
}

function makeBridge(host: NetlinkSocket, { name, mtu, vlanFiltering }: BridgeSettings, undo: Undo): Link {
  try {
    const bridge = createBridge(host, {
      name,
      mtu: mtu || undefined,
      vlanFiltering: vlanFiltering || undefined,
    });
    undo.push(`bridge "${name}"`, () => removeUnused(host, name));
    return bridge;
  } catch (error) {
    // Somebody else's ADD was faster.
    const other = isError(error, EEXIST) ? findBridge(host, name) : undefined;
    if (other !== undefined) return other;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `failed to create bridge "${name}": could not add "${name}": ${reason}`;
    const details = vlanFiltering && isError(error, EOPNOTSUPP) ? NO_VLAN_FILTERING : '';
    throw new CniError(ErrorCode.internal, message, { details, cause: error });
  }
}

const NO_VLAN_FILTERING =
  'this kernel has no VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING), which "vlan" and "vlanTrunk" need';

/** A bridge that was there before is not changed: its other ports would lose their frames. */
function requireVlanFiltering(host: NetlinkSocket, { name }: Link): void {
  if (getLink(host, name)?.vlanFiltering) return;
  throw new CniError(
    ErrorCode.internal,
    `bridge "${name}" has no VLAN filtering, which "vlan" and "vlanTrunk" need`,
    {
      details: `ip link set ${name} type bridge vlan_filtering 1; if that fails, ${NO_VLAN_FILTERING}`,
    },
  );
}

function isError(error: unknown, errno: number): boolean {
  return error instanceof NetlinkError && error.errno === errno;
}

/** A bridge that another ADD has begun to use meanwhile stays: that one sees to it that it is still there at its end. */
function removeUnused(host: NetlinkSocket, name: string): void {
  const bridge = findBridge(host, name);
  if (bridge !== undefined && !hasPorts(host, bridge)) deleteLink(host, bridge);
}

/** Whether any link is a port of the bridge. */
export function hasPorts(host: NetlinkSocket, { index }: Link): boolean {
  return listLinks(host).some(({ master }) => master === index);
}

import { CniError, ErrorCode } from '../cni/error.ts';
import { EEXIST } from '../kernel/errno.ts';
import { addPortVlan, listPortVlans, removePortVlan } from '../kernel/netlink/bridge-vlan.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { changeLink } from '../kernel/netlink/link-change.ts';
import { createVeth } from '../kernel/netlink/link-create.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { hostVethName } from './attachment.ts';

/**
 * The interface that has the gateway's address in a VLAN, as the reference makes it: `cni0.100` on the node, the other
 * end of which is a port of the bridge in that VLAN. It stays, for all containers of the VLAN. What an ADD that was
 * killed has left of it is completed. Throws NetlinkError.
 */
export function ensureVlanGateway(
  host: NetlinkSocket,
  bridge: Link,
  { vlan, preserveDefaultVlan }: { vlan: number; preserveDefaultVlan: boolean },
): Link {
  const name = `${bridge.name}.${vlan}`;
  const port = portOf(host, name) ?? makePair(host, bridge, name);
  if (!preserveDefaultVlan) {
    const own = listPortVlans(host).filter(({ index, vid }) => index === port.index && vid !== vlan);
    for (const range of own) removePortVlan(host, port, range);
  }
  addPortVlan(host, port, { vid: vlan, pvid: true, untagged: true });
  const gateway = getLink(host, name);
  if (gateway === undefined) {
    throw new CniError(ErrorCode.tryAgainLater, `"${name}" was removed while it was being set up`);
  }
  if (!gateway.up) changeLink(host, gateway, { up: true });
  return gateway;
}

function portOf(host: NetlinkSocket, name: string): Link | undefined {
  const peer = getLink(host, name)?.link;
  return peer === undefined ? undefined : getLink(host, peer);
}

function makePair(host: NetlinkSocket, bridge: Link, name: string): Link {
  const { mtu } = bridge;
  const portName = hostVethName({ network: bridge.name, containerID: 'vlan', ifName: name });
  try {
    return createVeth(host, { name: portName, master: bridge, up: true, mtu }, { name, mtu });
  } catch (error) {
    // Somebody else's ADD was faster.
    const other = error instanceof NetlinkError && error.errno === EEXIST ? portOf(host, name) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

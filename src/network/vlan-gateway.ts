import { addPortVlan, listPortVlans, removePortVlan } from '../kernel/netlink/bridge-vlan.ts';
import { getLink, type Link } from '../kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../kernel/netlink/link-change.ts';
import { createVeth } from '../kernel/netlink/link-create.ts';
import type { NetlinkSocket } from '../kernel/netlink/socket.ts';
import { hostVethName } from './attachment.ts';
import type { Undo } from './undo.ts';

/**
 * The interface that has the gateway's address in a VLAN, as the reference makes it: `cni0.100` on the node, the other
 * end of which is a port of the bridge in that VLAN. It stays for all containers of the VLAN. Throws NetlinkError.
 */
export function ensureVlanGateway(
  host: NetlinkSocket,
  bridge: Link,
  { vlan, preserveDefaultVlan }: { vlan: number; preserveDefaultVlan: boolean },
  undo: Undo,
): Link {
  const name = `${bridge.name}.${vlan}`;
  const existing = getLink(host, name);
  if (existing !== undefined) return existing;
  const { mtu } = bridge;
  const portName = hostVethName({ network: bridge.name, containerID: 'vlan', ifName: name });
  const port = createVeth(host, { name: portName, master: bridge, up: true, mtu }, { name, mtu });
  undo.push(`veth "${name}"`, () => deleteLink(host, { name }));
  if (!preserveDefaultVlan) {
    const own = listPortVlans(host).filter(({ index }) => index === port.index);
    for (const range of own) removePortVlan(host, port, range);
  }
  addPortVlan(host, port, { vid: vlan, pvid: true, untagged: true });
  const gateway = getLink(host, name);
  if (gateway === undefined) throw new Error(`"${name}" is gone again`);
  changeLink(host, gateway, { up: true });
  return gateway;
}

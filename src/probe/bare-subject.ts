import { parseCidr } from '../cni/address.ts';
import { contentsIn } from '../node/contents.ts';
import type { Subject } from './subject.ts';

/**
 * A namespace that no runtime of this node knows of, as it is: its interfaces but the loopback, with the addresses that they have.
 * Throws SystemError, NotNetworkNamespaceError, and NetlinkError.
 */
export function bareSubject(name: string, netns: string): Subject {
  const { links, addresses } = contentsIn(netns);
  const all = links
    .filter(({ flags }) => (flags & IFF_LOOPBACK) === 0)
    .map(({ index, kind, name: ifName }) => ({
      ...{ kind, ifName, network: '', gateways: [], wantsMasquerade: false, hostPorts: [] },
      addresses: addresses
        .filter((one) => one.index === index && one.scope === SCOPE_UNIVERSE)
        .flatMap(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`) ?? []),
    }));
  const addressed = all.filter((one) => one.addresses.length > 0);
  // Tunnels are in each namespace, and mean nothing.
  const attached = all.filter(({ kind = '' }) => ['veth', 'macvlan', 'ipvlan'].includes(kind));
  const dns = { nameservers: [], search: [], options: [] };
  return { name, netns, interfaces: addressed.length > 0 ? addressed : attached, dns };
}

/** include/uapi/linux/if.h and rtnetlink.h */
const IFF_LOOPBACK = 0x8;
const SCOPE_UNIVERSE = 0;

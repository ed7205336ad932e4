import { Attributes, present } from './attribute.ts';
import {
  IFLA_BR_VLAN_FILTERING,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_INFO_SLAVE_DATA,
  IFLA_INFO_SLAVE_KIND,
  IFLA_LINKINFO,
  linkAttributes,
} from './link-message.ts';
import { IFLA_MACVLAN_BC_QUEUE_LEN } from './macvlan.ts';

/**
 * Options that somebody may have set, and that Link has no room for; by the names that `ip -details link` has for
 * them.
 */
export type LinkDetails = Readonly<Record<string, number>>;

/**
 * Decodes the payload of RTM_NEWLINK once more, for whoever wants to know all that was set: no counter, no timer,
 * nothing that the kernel finds out by itself. Throws MalformedMessageError.
 */
export function decodeLinkDetails(payload: Buffer): LinkDetails {
  const attributes = new Attributes(linkAttributes(payload));
  const info = attributes.nested(IFLA_LINKINFO);
  const data = info?.nested(IFLA_INFO_DATA);
  const isPort = info?.string(IFLA_INFO_SLAVE_KIND) === 'bridge';
  return present<Record<string, number>>({
    txqlen: attributes.u32(IFLA_TXQLEN),
    group: attributes.u32(IFLA_GROUP) || undefined,
    allmulti: attributes.u32(IFLA_ALLMULTI) || undefined,
    ...optionsOf(info?.string(IFLA_INFO_KIND), data),
    ...(isPort ? numbers(info?.nested(IFLA_INFO_SLAVE_DATA), PORT_OPTIONS) : {}),
  } as Record<string, number>);
}

function optionsOf(kind: string | undefined, data: Attributes | undefined): Record<string, number> {
  if (kind === 'bridge') return numbers(data, BRIDGE_OPTIONS);
  if (kind === 'macvlan') return numbers(data, { bcqueuelen: [IFLA_MACVLAN_BC_QUEUE_LEN, 'u32'] });
  if (kind === 'vlan') return numbers(data, { vlan: [IFLA_VLAN_ID, 'u16'] });
  if (kind === 'vxlan') return numbers(data, { vni: [IFLA_VXLAN_ID, 'u32'] });
  if (kind === 'vrf') return numbers(data, { table: [IFLA_VRF_TABLE, 'u32'] });
  return {};
}

type Options = Readonly<Record<string, readonly [type: number, size: 'u8' | 'u16' | 'u32']>>;

function numbers(data: Attributes | undefined, options: Options): Record<string, number> {
  const found: Record<string, number> = {};
  if (data === undefined) return found;
  for (const [name, [type, size]] of Object.entries(options)) {
    const value = data[size](type);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** include/uapi/linux/if_link.h */
const IFLA_TXQLEN = 13;
const IFLA_GROUP = 27;
const IFLA_ALLMULTI = 61;
const IFLA_VLAN_ID = 1;
const IFLA_VXLAN_ID = 1;
const IFLA_VRF_TABLE = 1;

/** IFLA_BR_* */
const BRIDGE_OPTIONS: Options = {
  forward_delay: [1, 'u32'],
  ageing_time: [4, 'u32'],
  stp_state: [5, 'u32'],
  priority: [6, 'u16'],
  vlan_filtering: [IFLA_BR_VLAN_FILTERING, 'u8'],
  group_fwd_mask: [9, 'u16'],
  mcast_snooping: [23, 'u8'],
  nf_call_iptables: [36, 'u8'],
  nf_call_ip6tables: [37, 'u8'],
  vlan_default_pvid: [39, 'u16'],
};

/** IFLA_BRPORT_* */
const PORT_OPTIONS: Options = {
  hairpin: [4, 'u8'],
  guard: [5, 'u8'],
  learning: [8, 'u8'],
  flood: [9, 'u8'],
  proxy_arp: [10, 'u8'],
  mcast_flood: [27, 'u8'],
  bcast_flood: [30, 'u8'],
  isolated: [33, 'u8'],
  locked: [39, 'u8'],
};

import { Attributes, forEachAttribute, u32Attribute } from './attribute.ts';
import { AF_INET, AF_INET6, addressFamily } from './ip-address.ts';
import { IFLA_AF_SPEC, IFLA_INET_CONF, linkAttributes } from './link-message.ts';
import { leadingStruct } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

// The settings below /proc/sys/net/ipv4/conf/<link> and /proc/sys/net/ipv6/conf/<link>. The kernel tells them with each
// link, which saves reading fifty files for each.

/**
 * The settings of one link as the kernel tells them: IFLA_INET_CONF and IFLA_INET6_CONF, numbers one behind the
 * other.
 */
export interface DeviceSysctls {
  readonly ipv4: Buffer;
  readonly ipv6: Buffer;
}

/** Finds them in the payload of RTM_NEWLINK. Throws MalformedMessageError. */
export function decodeDeviceSysctls(payload: Buffer): DeviceSysctls {
  const families = settingsOf(payload);
  return {
    ipv4: families?.nested(AF_INET)?.bytes(IFLA_INET_CONF) ?? NONE,
    ipv6: families?.nested(AF_INET6)?.bytes(IFLA_INET6_CONF) ?? NONE,
  };
}

/** One setting: `ipv4/arp_notify`, `ipv6/accept_ra`. */
export type DeviceSysctl = readonly [name: string, value: number, before: number | undefined];

/**
 * Those that have another value than `before`, or all. Times are left out, and what follows the link's MTU: nobody
 * sets them, and the kernel does.
 */
export function otherDeviceSysctls(now: DeviceSysctls, before?: DeviceSysctls): DeviceSysctl[] {
  const found: DeviceSysctl[] = [];
  for (const [family, names] of [
    ['ipv4', IPV4_DEVCONF],
    ['ipv6', IPV6_DEVCONF],
  ] as const) {
    const [values, old] = [now[family], before?.[family] ?? NONE];
    if (values.equals(old)) continue;
    for (let index = 0; 4 * index + 4 <= values.length && index < names.length; index += 1) {
      const name = names[index] ?? '';
      const value = values.readInt32LE(4 * index);
      const previous = 4 * index + 4 <= old.length ? old.readInt32LE(4 * index) : undefined;
      if (name !== '' && value !== previous) found.push([`${family}/${name}`, value, previous]);
    }
  }
  return found;
}

/**
 * Whether two payloads of RTM_NEWLINK are the same but for settings, and whatever else the families of addresses keep
 * there.
 */
export function areSameLinks(one: Buffer, other: Buffer): boolean {
  const [start, end] = settingsPlace(one);
  const [otherStart, otherEnd] = settingsPlace(other);
  return (
    one.subarray(0, start).equals(other.subarray(0, otherStart)) &&
    one.subarray(end).equals(other.subarray(otherEnd))
  );
}

function settingsOf(payload: Buffer): Attributes | undefined {
  const [start, end] = settingsPlace(payload);
  return start === end ? undefined : new Attributes(payload.subarray(start, end)).nested(IFLA_AF_SPEC);
}

/** Where IFLA_AF_SPEC begins and ends; at the end, when there is none. */
function settingsPlace(payload: Buffer): [start: number, end: number] {
  const attributes = linkAttributes(payload);
  const header = payload.length - attributes.length;
  let place: [number, number] = [payload.length, payload.length];
  forEachAttribute(attributes, (type, offset) => {
    if (type !== IFLA_AF_SPEC) return;
    const start = header + offset;
    place = [start, start + attributes.readUInt16LE(offset)];
  });
  return place;
}

const NONE = Buffer.alloc(0);

/**
 * What is set for all links, and for those to come, as far as the kernel tells it: `ipv4/conf/all/forwarding`, which is
 * `ip_forward`, rp_filter, and proxies. Throws as NetlinkSocket.request does.
 */
export function getCommonSysctls(socket: NetlinkSocket): Map<string, number> {
  const found = new Map<string, number>();
  for (const [family, bytes] of [
    ['ipv4', 4],
    ['ipv6', 16],
  ] as const) {
    for (const [name, index] of [
      ['all', NETCONFA_IFINDEX_ALL],
      ['default', NETCONFA_IFINDEX_DEFAULT],
    ] as const) {
      const header = Buffer.alloc(SIZEOF_NETCONFMSG);
      header.writeUInt8(addressFamily(new Uint8Array(bytes)), 0);
      const payload = Buffer.concat([header, u32Attribute(NETCONFA_IFINDEX, index >>> 0)]);
      const operation = `get ${family}/conf/${name}`;
      for (const message of socket.request({ operation, type: RTM_GETNETCONF, payload })) {
        for (const [key, value] of Object.entries(decodeCommonSysctls(message.payload))) {
          found.set(`${family}/conf/${name}/${key}`, value);
        }
      }
    }
  }
  return found;
}

/** Decodes the payload of RTM_NEWNETCONF: struct netconfmsg and NETCONFA_*. Throws MalformedMessageError. */
export function decodeCommonSysctls(payload: Buffer): Record<string, number> {
  const header = leadingStruct(payload, 'struct netconfmsg', 1);
  const isIpv6 = header.readUInt8(0) === AF_INET6;
  const attributes = new Attributes(payload.subarray(SIZEOF_NETCONFMSG));
  const values = {
    forwarding: attributes.s32(NETCONFA_FORWARDING),
    ...(isIpv6 ? {} : { rp_filter: attributes.s32(NETCONFA_RP_FILTER) }),
    [isIpv6 ? 'proxy_ndp' : 'proxy_arp']: attributes.s32(NETCONFA_PROXY_NEIGH),
  };
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** include/uapi/linux/rtnetlink.h, netconf.h and if_link.h */
const RTM_GETNETCONF = 82;
/** struct netconfmsg, with what aligns it. */
const SIZEOF_NETCONFMSG = 4;
const NETCONFA_IFINDEX = 1;
const NETCONFA_FORWARDING = 2;
const NETCONFA_RP_FILTER = 3;
const NETCONFA_PROXY_NEIGH = 5;
const NETCONFA_IFINDEX_ALL = -1;
const NETCONFA_IFINDEX_DEFAULT = -2;
const IFLA_INET6_CONF = 2;

/** IPV4_DEVCONF_* of include/uapi/linux/ip.h, from 1 on; what is left out has no name. */
const IPV4_DEVCONF = [
  ...['forwarding', '', 'proxy_arp', 'accept_redirects', 'secure_redirects', 'send_redirects'],
  ...['shared_media', 'rp_filter', 'accept_source_route', 'bootp_relay', 'log_martians', 'tag'],
  ...['arp_filter', 'medium_id', 'disable_xfrm', 'disable_policy', 'force_igmp_version', 'arp_announce'],
  ...['arp_ignore', 'promote_secondaries', 'arp_accept', 'arp_notify', 'accept_local', 'src_valid_mark'],
  ...['proxy_arp_pvlan', 'route_localnet', '', '', 'ignore_routes_with_linkdown'],
  ...['drop_unicast_in_l2_multicast', 'drop_gratuitous_arp', 'bc_forwarding', 'arp_evict_nocarrier'],
];

/** DEVCONF_* of include/uapi/linux/ipv6.h, from 0 on. */
const IPV6_DEVCONF = [
  ...['forwarding', '', '', 'accept_ra', 'accept_redirects', 'autoconf', 'dad_transmits'],
  ...['router_solicitations', '', '', 'use_tempaddr', '', '', '', '', 'max_addresses', 'force_mld_version'],
  ...['accept_ra_defrtr', 'accept_ra_pinfo', 'accept_ra_rtr_pref', '', 'accept_ra_rt_info_max_plen'],
  ...['proxy_ndp', 'optimistic_dad', 'accept_source_route', '', 'disable_ipv6', 'accept_dad', 'force_tllao'],
  ...['ndisc_notify', '', '', 'suppress_frag_ndisc', 'accept_ra_from_local', 'use_optimistic'],
  ...['accept_ra_mtu', '', 'use_oif_addrs_only', 'accept_ra_min_hop_limit', 'ignore_routes_with_linkdown'],
  ...['drop_unicast_in_l2_multicast', 'drop_unsolicited_na', 'keep_addr_on_down', '', 'seg6_enabled'],
  ...['seg6_require_hmac', 'enhanced_dad', 'addr_gen_mode', 'disable_policy', '', 'ndisc_tclass'],
  ...['rpl_seg_enabled', '', 'ioam6_enabled', '', '', 'ndisc_evict_nocarrier', 'accept_untracked_na'],
  ...['', 'force_forwarding'],
];

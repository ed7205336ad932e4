import { ENODEV } from '../errno.ts';
import { Attributes, present, stringAttribute, u32Attribute } from './attribute.ts';
import { AF_INET6 } from './ip-address.ts';
import {
  decodeLinkHeader,
  encodeLinkHeader,
  IFF_RUNNING,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_BR_VLAN_FILTERING,
  IFLA_EXT_MASK,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_INFO_SLAVE_DATA,
  IFLA_INFO_SLAVE_KIND,
  IFLA_LINK,
  IFLA_LINK_NETNSID,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_OPERSTATE,
  IFLA_PROMISCUITY,
  linkAttributes,
  RTEXT_FILTER_SKIP_STATS,
  RTM_GETLINK,
  RTM_NEWLINK,
} from './link-message.ts';
import { macText } from './mac-address.ts';
import { decodeMacvlanMode } from './macvlan.ts';
import { NetlinkError } from './netlink-error.ts';
import { decodePortState, type PortState } from './port-state.ts';
import type { NetlinkSocket } from './socket.ts';

/** A network interface, as `ip link` shows it. */
export interface Link {
  index: number;
  name: string;
  /** IFLA_ADDRESS in lower-case hexadecimal with colons; absent when the link has none. */
  mac?: string;
  mtu: number;
  /** IFF_UP: an administrator wants it up. */
  up: boolean;
  /** IFF_RUNNING: it is up and has a carrier. */
  running: boolean;
  /** All of IFF_*, include/uapi/linux/if.h. */
  flags: number;
  /** IFLA_OPERSTATE, IF_OPER_* of include/uapi/linux/if.h: 0 unknown, 2 down, 3 lower layer down, 6 up. */
  operstate?: number;
  /** IFLA_PROMISCUITY: how many want it promiscuous; a bridge is one of them for each port. */
  promiscuity?: number;
  /** IFLA_INFO_KIND: `veth`, `bridge`; absent for hardware and the loopback. */
  kind?: string;
  /** IFLA_MASTER: the index of the bridge, bond or VRF that it is a port of. */
  master?: number;
  /** IFLA_LINK: the index of the other end of a veth, or of the link that a VLAN or macvlan sits on. */
  link?: number;
  /** IFLA_LINK_NETNSID: which other namespace `link` is in, as ours numbers it; absent when it is in ours. */
  linkNetnsid?: number;
  /** IFLA_IFALIAS */
  alias?: string;
  /** IFLA_INFO_SLAVE_DATA, of a bridge's port. */
  port?: PortState;
  /** IFLA_BR_VLAN_FILTERING, of bridges. */
  vlanFiltering?: boolean;
  /** IFLA_MACVLAN_MODE, of macvlans: `bridge`, `private`. */
  macvlanMode?: string;
  /** IFLA_INET6_ADDR_GEN_MODE, enum in6_addr_gen_mode: 0 EUI-64, 1 none, 2 stable; absent without IPv6. */
  addrGenMode?: number;
}

/** IF_OPER_UP of Link.operstate. */
export const OPERSTATE_UP = 6;

/** All links of the socket's namespace. Throws as NetlinkSocket.dump does. */
export function listLinks(socket: NetlinkSocket): Link[] {
  return dumpLinks(socket).map(decodeLink);
}

/** The payloads of RTM_NEWLINK. Throws as NetlinkSocket.dump does. */
export function dumpLinks(socket: NetlinkSocket): Buffer[] {
  const payload = question(0);
  const messages = socket.dump({ operation: 'dump links', type: RTM_GETLINK, payload });
  return messages.filter(({ type }) => type === RTM_NEWLINK).map(({ payload }) => payload);
}

/** One link by its name or its index; undefined when there is none. Throws as NetlinkSocket.request does. */
export function getLink(socket: NetlinkSocket, nameOrIndex: string | number): Link | undefined {
  const payload =
    typeof nameOrIndex === 'number'
      ? question(nameOrIndex)
      : question(0, stringAttribute(IFLA_IFNAME, nameOrIndex));
  try {
    const messages = socket.request({
      operation: `get link ${JSON.stringify(nameOrIndex)}`,
      type: RTM_GETLINK,
      payload,
    });
    const message = messages.find(({ type }) => type === RTM_NEWLINK);
    return message === undefined ? undefined : decodeLink(message.payload);
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENODEV) return undefined;
    throw error;
  }
}

/** Decodes the payload of RTM_NEWLINK: struct ifinfomsg and IFLA_*. Throws MalformedMessageError. */
export function decodeLink(payload: Buffer): Link {
  const { index, flags } = decodeLinkHeader(payload);
  const attributes = new Attributes(linkAttributes(payload));
  const info = attributes.nested(IFLA_LINKINFO);
  const kind = info?.string(IFLA_INFO_KIND);
  return present<Link>({
    index,
    name: attributes.string(IFLA_IFNAME) ?? '',
    mac: macText(attributes.bytes(IFLA_ADDRESS)),
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    flags,
    operstate: attributes.u8(IFLA_OPERSTATE),
    promiscuity: attributes.u32(IFLA_PROMISCUITY),
    kind,
    master: attributes.u32(IFLA_MASTER),
    link: attributes.u32(IFLA_LINK),
    linkNetnsid: attributes.s32(IFLA_LINK_NETNSID),
    alias: attributes.string(IFLA_IFALIAS),
    port: info?.string(IFLA_INFO_SLAVE_KIND) === 'bridge' ? portOf(info) : undefined,
    vlanFiltering: kind === 'bridge' ? filtersVlans(info?.nested(IFLA_INFO_DATA)) : undefined,
    macvlanMode: kind === 'macvlan' ? decodeMacvlanMode(info?.nested(IFLA_INFO_DATA)) : undefined,
    addrGenMode: attributes.nested(IFLA_AF_SPEC)?.nested(AF_INET6)?.u8(IFLA_INET6_ADDR_GEN_MODE),
  });
}

function portOf(info: Attributes): PortState | undefined {
  const data = info.nested(IFLA_INFO_SLAVE_DATA);
  return data && decodePortState(data);
}

function filtersVlans(bridge: Attributes | undefined): boolean | undefined {
  const value = bridge?.u8(IFLA_BR_VLAN_FILTERING);
  return value === undefined ? undefined : value !== 0;
}

/** Without the counters, which are a third of the answer and take the kernel longest. */
function question(index: number, ...attributes: Buffer[]): Buffer {
  const mask = u32Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return Buffer.concat([encodeLinkHeader({ index }), mask, ...attributes]);
}

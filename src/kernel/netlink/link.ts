import { ENODEV } from '../errno.ts';
import { Attributes, present, stringAttribute, u32Attribute } from './attribute.ts';
import { leadingStruct } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
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
}

/** All links of the socket's namespace. Throws as NetlinkSocket.dump does. */
export function listLinks(socket: NetlinkSocket): Link[] {
  const messages = socket.dump({ operation: 'dump links', type: RTM_GETLINK, payload: question() });
  return messages.filter(({ type }) => type === RTM_NEWLINK).map(({ payload }) => decodeLink(payload));
}

/** One link by its name; undefined when there is none. Throws as NetlinkSocket.request does. */
export function getLink(socket: NetlinkSocket, name: string): Link | undefined {
  const payload = question(stringAttribute(IFLA_IFNAME, name));
  try {
    const messages = socket.request({
      operation: `get link ${JSON.stringify(name)}`,
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
  const ifinfomsg = leadingStruct(payload, 'struct ifinfomsg', SIZEOF_IFINFOMSG);
  const flags = ifinfomsg.readUInt32LE(8);
  const attributes = new Attributes(payload.subarray(SIZEOF_IFINFOMSG));
  return present<Link>({
    index: ifinfomsg.readInt32LE(4),
    name: attributes.string(IFLA_IFNAME) ?? '',
    mac: macText(attributes.bytes(IFLA_ADDRESS)),
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    flags,
    kind: attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND),
    master: attributes.u32(IFLA_MASTER),
    link: attributes.u32(IFLA_LINK),
    linkNetnsid: attributes.s32(IFLA_LINK_NETNSID),
    alias: attributes.string(IFLA_IFALIAS),
  });
}

/** include/uapi/linux/rtnetlink.h, if_link.h and if.h */
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const SIZEOF_IFINFOMSG = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const RTEXT_FILTER_SKIP_STATS = 8;

/** Without the counters, which are a third of the answer and take the kernel longest. */
function question(...attributes: Buffer[]): Buffer {
  const mask = u32Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return Buffer.concat([Buffer.alloc(SIZEOF_IFINFOMSG), mask, ...attributes]);
}

/** Of six bytes mostly, but twenty for InfiniBand, and four for a tunnel, whose address is one of IPv4. */
function macText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

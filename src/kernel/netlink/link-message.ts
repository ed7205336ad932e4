import { leadingStruct } from './message.ts';

/** Which link is meant: the kernel goes by the index, errors say the name. A Link is one, too. */
export interface LinkId {
  readonly index: number;
  readonly name: string;
}

/** struct ifinfomsg, include/uapi/linux/rtnetlink.h */
export interface LinkHeader {
  /** AF_UNSPEC, or AF_BRIDGE where a bridge's port is meant. */
  family?: number;
  /** 0 where the kernel chooses it, or finds the link by IFLA_IFNAME. */
  index?: number;
  /** IFF_* */
  flags?: number;
  /** Which of the flags count. */
  change?: number;
}

export function encodeLinkHeader({ family = 0, index = 0, flags = 0, change = 0 }: LinkHeader): Buffer {
  const ifinfomsg = Buffer.alloc(SIZEOF_IFINFOMSG);
  ifinfomsg.writeUInt8(family, 0);
  ifinfomsg.writeInt32LE(index, 4);
  ifinfomsg.writeUInt32LE(flags, 8);
  ifinfomsg.writeUInt32LE(change, 12);
  return ifinfomsg;
}

/** Throws MalformedMessageError. */
export function decodeLinkHeader(payload: Buffer): { family: number; index: number; flags: number } {
  const ifinfomsg = leadingStruct(payload, 'struct ifinfomsg', SIZEOF_IFINFOMSG);
  return {
    family: ifinfomsg.readUInt8(0),
    index: ifinfomsg.readInt32LE(4),
    flags: ifinfomsg.readUInt32LE(8),
  };
}

/** What comes behind the header. */
export const linkAttributes = (payload: Buffer): Buffer => payload.subarray(SIZEOF_IFINFOMSG);

const SIZEOF_IFINFOMSG = 16;

/** include/linux/socket.h */
export const AF_BRIDGE = 7;

/** include/uapi/linux/rtnetlink.h */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;
export const RTEXT_FILTER_SKIP_STATS = 8;

/** include/uapi/linux/if.h */
export const IFF_UP = 0x1;
export const IFF_RUNNING = 0x40;
export const IFF_PROMISC = 0x100;
export const IFF_LOWER_UP = 0x10000;

/** include/uapi/linux/if_link.h */
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
export const IFLA_PROTINFO = 12;
export const IFLA_OPERSTATE = 16;
export const IFLA_LINKINFO = 18;
export const IFLA_IFALIAS = 20;
export const IFLA_AF_SPEC = 26;
export const IFLA_NET_NS_FD = 28;
export const IFLA_EXT_MASK = 29;
export const IFLA_PROMISCUITY = 30;
export const IFLA_LINK_NETNSID = 37;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_INFO_SLAVE_KIND = 4;
export const IFLA_INFO_SLAVE_DATA = 5;
export const IFLA_INET_CONF = 1;
export const IFLA_INET6_ADDR_GEN_MODE = 8;
export const IFLA_BR_VLAN_FILTERING = 7;

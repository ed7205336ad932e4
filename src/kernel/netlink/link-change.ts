import type { Namespace } from '../netns.ts';
import { attribute, nested, stringAttribute, u8Attribute, u32Attribute } from './attribute.ts';
import { AF_INET, AF_INET6 } from './ip-address.ts';
import {
  encodeLinkHeader,
  IFF_PROMISC,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INET_CONF,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_SLAVE_DATA,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  type LinkId,
  RTM_DELLINK,
  RTM_NEWLINK,
} from './link-message.ts';
import { macBytes } from './mac-address.ts';
import { encodePortOptions, type PortOptions, portOptionsText } from './port-state.ts';
import type { NetlinkSocket } from './socket.ts';

/** What may change about a link; what is absent stays as it is. */
export interface LinkChange {
  /** EEXIST when it is taken; before Linux 6.2 EBUSY for a link that is up. */
  name?: string | undefined;
  /** Text as macText writes it. EADDRNOTAVAIL for one of a group, EINVAL for another length than the link's. */
  mac?: string | undefined;
  /** In bytes. EINVAL below or above what the link can. */
  mtu?: number | undefined;
  up?: boolean | undefined;
  /** Our own wish; see Link.promiscuity for those of others. */
  promiscuous?: boolean | undefined;
  /** The bridge that it becomes a port of; null for none. EOPNOTSUPP when that takes no ports. */
  master?: LinkId | null | undefined;
  /** Up to 255 bytes, else ERANGE. Only here: the kernel drops it from a message that creates. */
  alias?: string | undefined;
  /** Where it goes, before all else: when another change fails, it is there. */
  namespace?: Namespace | undefined;
  /** Of the bridge whose port it is already, before all else: EOPNOTSUPP in the message that sets `master`. */
  port?: PortOptions | undefined;
  /**
   * net.ipv4.conf.*.arp_notify: announces its addresses when it comes up, or gets another MAC. After all else: in the
   * message that sets it up this is too late.
   */
  arpNotify?: boolean | undefined;
  /** enum in6_addr_gen_mode: 0 EUI-64, 1 none, 2 stable. */
  addrGenMode?: number | undefined;
}

/**
 * Changes a link in one message. This is no transaction: when the kernel refuses one of the changes, those before it
 * stay. Throws NetlinkError: ENODEV when the link is gone, EPERM, and as LinkChange says; RangeError for a malformed
 * MAC.
 */
export function changeLink(socket: NetlinkSocket, link: LinkId, change: LinkChange): void {
  socket.request({
    operation: `set link ${JSON.stringify(link.name)} ${changeText(change)}`,
    type: RTM_NEWLINK,
    payload: Buffer.concat([header(link, change), ...attributesOf(change)]),
  });
}

/**
 * Deletes a link, and the other end of a veth with it; without an index, the one that has the name now. Throws
 * NetlinkError: ENODEV when it is gone, EOPNOTSUPP for hardware and the loopback, EPERM.
 */
export function deleteLink(socket: NetlinkSocket, { index, name }: { index?: number; name: string }): void {
  socket.request({
    operation: `delete link ${JSON.stringify(name)}`,
    type: RTM_DELLINK,
    payload:
      index === undefined
        ? Buffer.concat([encodeLinkHeader({}), stringAttribute(IFLA_IFNAME, name)])
        : encodeLinkHeader({ index }),
  });
}

/** include/uapi/linux/ip.h */
const IPV4_DEVCONF_ARP_NOTIFY = 22;

function header({ index }: LinkId, { up, promiscuous }: LinkChange): Buffer {
  let flags = 0;
  let change = 0;
  const set = (flag: number, isOn: boolean | undefined): void => {
    if (isOn !== undefined) change |= flag;
    if (isOn === true) flags |= flag;
  };
  set(IFF_UP, up);
  set(IFF_PROMISC, promiscuous);
  return encodeLinkHeader({ index, flags, change });
}

function attributesOf(change: LinkChange): Buffer[] {
  const { name, mac, mtu, master, alias, namespace, port } = change;
  const attributes: Buffer[] = [];
  if (mac !== undefined) attributes.push(attribute(IFLA_ADDRESS, macBytes(mac)));
  if (mtu !== undefined) attributes.push(u32Attribute(IFLA_MTU, mtu));
  if (name !== undefined) attributes.push(stringAttribute(IFLA_IFNAME, name));
  if (alias !== undefined) attributes.push(attribute(IFLA_IFALIAS, Buffer.from(alias)));
  if (master !== undefined) attributes.push(u32Attribute(IFLA_MASTER, master?.index ?? 0));
  if (namespace !== undefined) attributes.push(u32Attribute(IFLA_NET_NS_FD, namespace.fd));
  if (port !== undefined) attributes.push(portInfo(port));
  const families = familyAttributes(change);
  if (families.length > 0) attributes.push(nested(IFLA_AF_SPEC, ...families));
  return attributes;
}

/** The port's options as `ip link set ... type bridge_slave` sends them, which leaves room for the link's own. */
function portInfo(port: PortOptions): Buffer {
  return nested(IFLA_LINKINFO, nested(IFLA_INFO_SLAVE_DATA, ...encodePortOptions(port)));
}

function familyAttributes({ arpNotify, addrGenMode }: LinkChange): Buffer[] {
  const families: Buffer[] = [];
  if (arpNotify !== undefined) {
    const setting = u32Attribute(IPV4_DEVCONF_ARP_NOTIFY, Number(arpNotify));
    families.push(nested(AF_INET, nested(IFLA_INET_CONF, setting)));
  }
  if (addrGenMode !== undefined) {
    families.push(nested(AF_INET6, u8Attribute(IFLA_INET6_ADDR_GEN_MODE, addrGenMode)));
  }
  return families;
}

/** `up master 7 mtu 1400`: the words of `ip link set`. */
function changeText(change: LinkChange): string {
  const { up, promiscuous, name, mac, mtu, master, alias, namespace, port, arpNotify, addrGenMode } = change;
  const words: string[] = [];
  if (up !== undefined) words.push(up ? 'up' : 'down');
  if (promiscuous !== undefined) words.push(`promisc ${onOff(promiscuous)}`);
  if (name !== undefined) words.push(`name ${JSON.stringify(name)}`);
  if (mac !== undefined) words.push(`address ${mac}`);
  if (mtu !== undefined) words.push(`mtu ${mtu}`);
  if (master !== undefined)
    words.push(master === null ? 'nomaster' : `master ${JSON.stringify(master.name)}`);
  if (alias !== undefined) words.push('alias');
  if (namespace !== undefined) words.push(`netns ${JSON.stringify(namespace.path)}`);
  if (port !== undefined) words.push(portOptionsText(port));
  if (arpNotify !== undefined) words.push(`arp_notify ${onOff(arpNotify)}`);
  if (addrGenMode !== undefined) words.push(`addrgenmode ${addrGenMode}`);
  return words.join(' ');
}

const onOff = (isOn: boolean): string => (isOn ? 'on' : 'off');

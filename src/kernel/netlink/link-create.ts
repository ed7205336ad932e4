import { EEXIST, ENODEV } from '../errno.ts';
import type { Namespace } from '../netns.ts';
import { attribute, nested, stringAttribute, u8Attribute, u32Attribute } from './attribute.ts';
import { decodeLink, getLink, type Link } from './link.ts';
import {
  encodeLinkHeader,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_BR_VLAN_FILTERING,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  type LinkId,
  RTM_NEWLINK,
} from './link-message.ts';
import { macBytes } from './mac-address.ts';
import { IFLA_MACVLAN_BC_QUEUE_LEN, IFLA_MACVLAN_MODE, MACVLAN_MODES, type MacvlanMode } from './macvlan.ts';
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/** What every new link may have. The kernel takes all of it in the creating message; an alias it would drop. */
export interface NewLink {
  name: string;
  /** Text as macText writes it; else the kernel draws one. */
  mac?: string | undefined;
  /** In bytes; else the kernel's default. */
  mtu?: number | undefined;
  up?: boolean | undefined;
}

export interface NewBridge extends NewLink {
  /** EOPNOTSUPP from a kernel without CONFIG_BRIDGE_VLAN_FILTERING. */
  vlanFiltering?: boolean | undefined;
}

export interface NewVeth extends NewLink {
  /** The bridge that it becomes a port of. */
  master?: LinkId | undefined;
}

/** It cannot be made up: ENOTCONN, for the kernel makes the peer first. */
export interface NewVethPeer extends Omit<NewLink, 'up'> {
  /** Where it is made; else in the socket's namespace. */
  namespace?: Namespace | undefined;
}

export interface NewMacvlan extends NewLink {
  parent: LinkId;
  mode: MacvlanMode;
  /** IFLA_MACVLAN_BC_QUEUE_LEN: how many broadcasts may wait, 1000 unless told. */
  bcQueueLength?: number | undefined;
  /** Where it is made; else in the socket's namespace. */
  namespace?: Namespace | undefined;
}

/**
 * Makes a bridge, and answers it. Throws NetlinkError: EEXIST when the name is taken, EPERM; and RangeError for a
 * malformed MAC.
 */
export function createBridge(socket: NetlinkSocket, bridge: NewBridge): Link {
  const data: Buffer[] = [];
  // Not to be sent as false either: a kernel that has none refuses that, too.
  if (bridge.vlanFiltering === true) {
    data.push(nested(IFLA_INFO_DATA, u8Attribute(IFLA_BR_VLAN_FILTERING, 1)));
  }
  return create(socket, `create bridge ${JSON.stringify(bridge.name)}`, bridge, kindOf('bridge', ...data));
}

/**
 * Makes both ends of a veth in one message, the peer in its namespace, and answers the first. Of the answer, `link`
 * is the peer's index; `master` and the carrier do not show yet. Throws NetlinkError, and leaves nothing: EEXIST
 * when one of the names is taken, EOPNOTSUPP when the master takes no ports, EINVAL when it is gone, EPERM; and
 * RangeError for a malformed MAC.
 */
export function createVeth(socket: NetlinkSocket, veth: NewVeth, peer: NewVethPeer): Link {
  const { name, master } = veth;
  const port = master === undefined ? '' : `, master ${JSON.stringify(master.name)}`;
  const mac = peer.mac === undefined ? '' : `, address ${peer.mac}`;
  const operation = `create veth ${JSON.stringify(name)} with peer ${JSON.stringify(peer.name)}${mac}${port}`;
  const other = attribute(VETH_INFO_PEER, Buffer.concat([header(peer), ...attributesOf(peer)]));
  const attributes = [kindOf('veth', nested(IFLA_INFO_DATA, other))];
  if (master !== undefined) attributes.push(u32Attribute(IFLA_MASTER, master.index));
  try {
    return create(socket, operation, veth, ...attributes);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === EEXIST)) throw error;
    const taken = getLink(socket, name) === undefined ? peer.name : name;
    throw new NetlinkError(operation, EEXIST, `there is a link ${JSON.stringify(taken)} already`);
  }
}

/**
 * Makes a macvlan on a link of the socket's namespace. It answers nothing, for the macvlan may be in another one: ask
 * a socket of that. Throws NetlinkError: EEXIST when the name is taken, ENODEV without the parent, EINVAL for an MTU
 * above the parent's, EBUSY when the parent is a port; and RangeError for a malformed MAC.
 */
export function createMacvlan(socket: NetlinkSocket, macvlan: NewMacvlan): void {
  const { name, parent, mode, bcQueueLength } = macvlan;
  const data = [u32Attribute(IFLA_MACVLAN_MODE, MACVLAN_MODES[mode])];
  if (bcQueueLength !== undefined) data.push(u32Attribute(IFLA_MACVLAN_BC_QUEUE_LEN, bcQueueLength));
  socket.request({
    operation: `create macvlan ${JSON.stringify(name)} on ${JSON.stringify(parent.name)}`,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: Buffer.concat([
      header(macvlan),
      ...attributesOf(macvlan),
      u32Attribute(IFLA_LINK, parent.index),
      kindOf('macvlan', nested(IFLA_INFO_DATA, ...data)),
    ]),
  });
}

/** include/uapi/linux/veth.h */
const VETH_INFO_PEER = 1;

/** Asks for the kernel's announcement of the new link, which saves the question for its index. */
function create(socket: NetlinkSocket, operation: string, link: NewLink, ...more: Buffer[]): Link {
  const messages = socket.request({
    operation,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO,
    payload: Buffer.concat([header(link), ...attributesOf(link), ...more]),
  });
  const echo = messages.find(({ type }) => type === RTM_NEWLINK);
  const made = echo === undefined ? getLink(socket, link.name) : decodeLink(echo.payload);
  if (made === undefined) throw new NetlinkError(operation, ENODEV, 'it is gone again');
  return made;
}

function header({ up = false }: NewLink): Buffer {
  return encodeLinkHeader(up ? { flags: IFF_UP, change: IFF_UP } : {});
}

function attributesOf({ name, mac, mtu, namespace }: NewVethPeer): Buffer[] {
  const attributes = [stringAttribute(IFLA_IFNAME, name)];
  if (mac !== undefined) attributes.push(attribute(IFLA_ADDRESS, macBytes(mac)));
  if (mtu !== undefined) attributes.push(u32Attribute(IFLA_MTU, mtu));
  if (namespace !== undefined) attributes.push(u32Attribute(IFLA_NET_NS_FD, namespace.fd));
  return attributes;
}

function kindOf(kind: string, ...data: Buffer[]): Buffer {
  return nested(IFLA_LINKINFO, stringAttribute(IFLA_INFO_KIND, kind), ...data);
}

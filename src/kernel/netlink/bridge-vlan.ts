import { Attributes, attribute, nested, u16Attribute, u32Attribute } from './attribute.ts';
import { attributeList } from './attribute-list.ts';
import {
  AF_BRIDGE,
  decodeLinkHeader,
  encodeLinkHeader,
  IFLA_AF_SPEC,
  IFLA_EXT_MASK,
  type LinkId,
  linkAttributes,
  RTEXT_FILTER_BRVLAN_COMPRESSED,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from './link-message.ts';
import { leadingStruct, MalformedMessageError } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** VLANs from `vid` to `lastVid`, or `vid` alone; both 1 to 4094. */
export interface VlanRange {
  vid: number;
  lastVid?: number | undefined;
}

export interface NewPortVlan extends VlanRange {
  /** Packets that come in without a tag get this one; not with a range. */
  pvid?: boolean | undefined;
  /** Packets go out without the tag. */
  untagged?: boolean | undefined;
}

/** What a port, or a bridge itself, lets through, as `bridge -compressvlans vlan` shows it. */
export interface PortVlan {
  /** Of the link. */
  index: number;
  vid: number;
  lastVid: number;
  pvid: boolean;
  untagged: boolean;
}

/** Which side of a link is meant: its bridge's, for a port; or its own, for a bridge itself. */
export type VlanSide = keyof typeof BRIDGE_FLAGS;

/**
 * Lets VLANs through a port, or through the bridge itself (`self`). Throws NetlinkError: EOPNOTSUPP from a kernel
 * without CONFIG_BRIDGE_VLAN_FILTERING or for a link that is no port, ENODEV when the link is gone, EINVAL for VLANs
 * that there are not, EPERM.
 */
export function addPortVlan(
  socket: NetlinkSocket,
  link: LinkId,
  vlan: NewPortVlan,
  side: VlanSide = 'master',
): void {
  change(socket, 'add', 'to', RTM_SETLINK, link, vlan, side);
}

/** Takes VLANs away. What the port does not have is success. Throws as addPortVlan does. */
export function removePortVlan(
  socket: NetlinkSocket,
  link: LinkId,
  vlan: VlanRange,
  side: VlanSide = 'master',
): void {
  change(socket, 'remove', 'from', RTM_DELLINK, link, vlan, side);
}

/**
 * The VLANs of all ports and bridges in the socket's namespace: none where the kernel has no VLAN filtering. Throws as
 * NetlinkSocket.dump does.
 */
export function listPortVlans(socket: NetlinkSocket): PortVlan[] {
  const mask = u32Attribute(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
  const payload = Buffer.concat([encodeLinkHeader({ family: AF_BRIDGE }), mask]);
  return socket
    .dump({ operation: 'dump bridge VLANs', type: RTM_GETLINK, payload })
    .filter(({ type }) => type === RTM_NEWLINK)
    .flatMap((message) => decodePortVlans(message.payload));
}

/** Decodes IFLA_AF_SPEC of RTM_NEWLINK of AF_BRIDGE: struct bridge_vlan_info. Throws MalformedMessageError. */
export function decodePortVlans(payload: Buffer): PortVlan[] {
  const { index } = decodeLinkHeader(payload);
  const spec = new Attributes(linkAttributes(payload)).bytes(IFLA_AF_SPEC);
  const vlans: PortVlan[] = [];
  let first: number | undefined;
  for (const value of spec === undefined ? [] : attributeList(spec, IFLA_BRIDGE_VLAN_INFO)) {
    const info = leadingStruct(value, 'struct bridge_vlan_info', SIZEOF_BRIDGE_VLAN_INFO);
    const flags = info.readUInt16LE(0);
    const lastVid = info.readUInt16LE(2);
    if ((flags & RANGE_BEGIN) !== 0) {
      first = lastVid;
      continue;
    }
    if (first === undefined && (flags & RANGE_END) !== 0) {
      throw new MalformedMessageError(`range of VLANs to ${lastVid} has no beginning`);
    }
    const vid = first ?? lastVid;
    vlans.push({ index, vid, lastVid, pvid: (flags & PVID) !== 0, untagged: (flags & UNTAGGED) !== 0 });
    first = undefined;
  }
  return vlans;
}

function change(
  socket: NetlinkSocket,
  verb: string,
  preposition: string,
  type: number,
  link: LinkId,
  vlan: NewPortVlan,
  side: VlanSide,
): void {
  const { vid, lastVid = vid } = vlan;
  const range = vid === lastVid ? vid : `${vid}-${lastVid}`;
  socket.request({
    operation: `${verb} VLAN ${range} ${preposition} ${JSON.stringify(link.name)}`,
    type,
    payload: Buffer.concat([
      encodeLinkHeader({ family: AF_BRIDGE, index: link.index }),
      nested(IFLA_AF_SPEC, u16Attribute(IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS[side]), ...encodeRange(vlan)),
    ]),
  });
}

function encodeRange({ vid, lastVid = vid, pvid = false, untagged = false }: NewPortVlan): Buffer[] {
  const flags = (pvid ? PVID : 0) | (untagged ? UNTAGGED : 0);
  if (vid === lastVid) return [vlanInfo(flags, vid)];
  return [vlanInfo(flags | RANGE_BEGIN, vid), vlanInfo(flags | RANGE_END, lastVid)];
}

/** struct bridge_vlan_info */
function vlanInfo(flags: number, vid: number): Buffer {
  const info = Buffer.alloc(SIZEOF_BRIDGE_VLAN_INFO);
  info.writeUInt16LE(flags, 0);
  info.writeUInt16LE(vid, 2);
  return attribute(IFLA_BRIDGE_VLAN_INFO, info);
}

/** include/uapi/linux/if_bridge.h */
const IFLA_BRIDGE_FLAGS = 0;
const IFLA_BRIDGE_VLAN_INFO = 2;
const BRIDGE_FLAGS = { master: 1, self: 2 } as const;
const SIZEOF_BRIDGE_VLAN_INFO = 4;
/** BRIDGE_VLAN_INFO_* */
const PVID = 1 << 1;
const UNTAGGED = 1 << 2;
const RANGE_BEGIN = 1 << 3;
const RANGE_END = 1 << 4;

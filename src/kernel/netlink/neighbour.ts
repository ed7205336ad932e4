import { ENOENT } from '../errno.ts';
import { Attributes, attribute, present, u32Attribute } from './attribute.ts';
import { addressFamily, ipFamily, ipText } from './ip-address.ts';
import type { LinkId } from './link-message.ts';
import { macBytes, macText } from './mac-address.ts';
import { leadingStruct, MalformedMessageError, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/** Who has an address on a link, as `ip neighbour` shows it. */
export interface Neighbour {
  /** Of the link. */
  index: number;
  family: 4 | 6;
  address: string;
  /** Absent while it is looked for, and when nobody answered. */
  mac?: string;
  /** NUD_*, include/uapi/linux/neighbour.h: 2 reachable, 4 stale, 0x20 failed, 0x40 no ARP, 0x80 permanent. */
  state: number;
}

/** An entry that stays until it is deleted. */
export interface NewNeighbour {
  ip: Uint8Array;
  mac: string;
}

/**
 * All IPv4 and IPv6 neighbours, of one link or of all in the socket's namespace. Throws as NetlinkSocket.dump does.
 */
export function listNeighbours(socket: NetlinkSocket, link?: LinkId): Neighbour[] {
  return dumpNeighbours(socket, link).flatMap((payload) => decodeNeighbour(payload) ?? []);
}

/**
 * Adds a permanent neighbour. Throws NetlinkError: EEXIST when the address is known already, ENODEV when the link is
 * gone, EINVAL for a MAC that is none of the link's kind, EPERM; and RangeError for a malformed MAC.
 */
export function addNeighbour(socket: NetlinkSocket, link: LinkId, neighbour: NewNeighbour): void {
  put(socket, 'add', NLM_F_EXCL, link, neighbour);
}

/** Adds a permanent neighbour, or says anew who one is. Throws as addNeighbour does. */
export function replaceNeighbour(socket: NetlinkSocket, link: LinkId, neighbour: NewNeighbour): void {
  put(socket, 'replace', NLM_F_REPLACE, link, neighbour);
}

/** Deletes a neighbour. Throws NetlinkError: ENOENT when it is not known, ENODEV when the link is gone, EPERM. */
export function deleteNeighbour(socket: NetlinkSocket, link: LinkId, ip: Uint8Array): void {
  socket.request({
    operation: `delete neighbour ${ipText(ip)} of ${JSON.stringify(link.name)}`,
    type: RTM_DELNEIGH,
    payload: Buffer.concat([header(link, ip, 0), attribute(NDA_DST, ip)]),
  });
}

/**
 * Deletes what the kernel learnt about the neighbours of a link, as `ip neighbour flush` does: not what it knows
 * without asking (NUD_NOARP), nor what somebody entered (NUD_PERMANENT). Throws as listNeighbours and
 * deleteNeighbour do.
 */
export function flushNeighbours(socket: NetlinkSocket, link: LinkId): void {
  for (const payload of dumpNeighbours(socket, link)) {
    const neighbour = decodeNeighbour(payload);
    if (neighbour === undefined || (neighbour.state & (NUD_NOARP | NUD_PERMANENT)) !== 0) continue;
    try {
      deleteNeighbour(socket, link, neighbourAddress(payload));
    } catch (error) {
      if (!(error instanceof NetlinkError && error.errno === ENOENT)) throw error;
    }
  }
}

/**
 * Decodes the payload of RTM_NEWNEIGH: struct ndmsg and NDA_*; undefined for other families than IP's, as a bridge's
 * forwarding table. Throws MalformedMessageError.
 */
export function decodeNeighbour(payload: Buffer): Neighbour | undefined {
  const ndmsg = leadingStruct(payload, 'struct ndmsg', SIZEOF_NDMSG);
  const family = ipFamily(ndmsg.readUInt8(0));
  if (family === undefined) return undefined;
  return present<Neighbour>({
    index: ndmsg.readInt32LE(4),
    family,
    address: ipText(neighbourAddress(payload)),
    mac: macText(new Attributes(payload.subarray(SIZEOF_NDMSG)).bytes(NDA_LLADDR)),
    state: ndmsg.readUInt16LE(8),
  });
}

/**
 * Somebody entered it, in the payload of RTM_NEWNEIGH; without decoding it, for the kernel learns many. Throws
 * MalformedMessageError.
 */
export function isPermanent(payload: Buffer): boolean {
  return (leadingStruct(payload, 'struct ndmsg', SIZEOF_NDMSG).readUInt16LE(8) & NUD_PERMANENT) !== 0;
}

function neighbourAddress(payload: Buffer): Buffer {
  const address = new Attributes(payload.subarray(SIZEOF_NDMSG)).bytes(NDA_DST);
  if (address === undefined) throw new MalformedMessageError('RTM_NEWNEIGH has no address');
  return address;
}

/** The payloads of RTM_NEWNEIGH, of one link or of all. Throws as NetlinkSocket.dump does. */
export function dumpNeighbours(socket: NetlinkSocket, link?: LinkId): Buffer[] {
  const filter = link === undefined ? [] : [u32Attribute(NDA_IFINDEX, link.index)];
  return socket
    .dump({
      operation: link === undefined ? 'dump neighbours' : `dump neighbours of ${JSON.stringify(link.name)}`,
      type: RTM_GETNEIGH,
      payload: Buffer.concat([Buffer.alloc(SIZEOF_NDMSG), ...filter]),
    })
    .filter(({ type }) => type === RTM_NEWNEIGH)
    .map(({ payload }) => payload);
}

function put(
  socket: NetlinkSocket,
  verb: string,
  flags: number,
  link: LinkId,
  { ip, mac }: NewNeighbour,
): void {
  socket.request({
    operation: `${verb} neighbour ${ipText(ip)} of ${JSON.stringify(link.name)}`,
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | flags,
    payload: Buffer.concat([
      header(link, ip, NUD_PERMANENT),
      attribute(NDA_DST, ip),
      attribute(NDA_LLADDR, macBytes(mac)),
    ]),
  });
}

/** struct ndmsg */
function header({ index }: LinkId, ip: Uint8Array, state: number): Buffer {
  const ndmsg = Buffer.alloc(SIZEOF_NDMSG);
  ndmsg.writeUInt8(addressFamily(ip), 0);
  ndmsg.writeInt32LE(index, 4);
  ndmsg.writeUInt16LE(state, 8);
  return ndmsg;
}

/** include/uapi/linux/rtnetlink.h and neighbour.h */
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const SIZEOF_NDMSG = 12;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
const NUD_NOARP = 0x40;
const NUD_PERMANENT = 0x80;

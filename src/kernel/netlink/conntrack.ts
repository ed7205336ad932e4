import { EINVAL, ENOENT, EOPNOTSUPP } from '../errno.ts';
import { type Namespace, runIn } from '../netns.ts';
import { Attributes, attribute, nested, present, u8Attribute, u32Attribute } from './attribute.ts';
import { be16, be16Attribute } from './big-endian.ts';
import { type Channel, openChannel } from './channel.ts';
import { AF_INET, AF_INET6, ipText } from './ip-address.ts';
import { MalformedMessageError } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import {
  decodeNetfilterPayload,
  NETLINK_NETFILTER,
  NFNL_SUBSYS_CTNETLINK,
  netfilterPayload,
} from './nfgenmsg.ts';
import { NetlinkSocket, type Step } from './socket.ts';

/** Which connections: those whose first packet went to a port, and to an address if there is one. */
export interface ConntrackFilter {
  /** IPPROTO_*: 6 TCP, 17 UDP, 132 SCTP. */
  protocol: number;
  /** Before any translation. */
  destinationPort: number;
  /** 4 or 16 bytes; all addresses of both families without it. */
  destination?: Uint8Array;
}

/** An entry of the table, by what its first packet was. */
export interface Connection {
  family: 4 | 6;
  /** Where the protocol is one with ports. */
  protocol?: number;
  destinationPort?: number;
  destination?: string;
  /** CTA_TUPLE_ORIG, CTA_ZONE and CTA_ID as they came: what names the entry. */
  name: Buffer;
}

/** Opens a socket for conntrack in a namespace, or in our own. Throws SystemError. */
export function openConntrack(namespace?: Namespace, step?: Step): NetlinkSocket {
  const open = (): Channel => openChannel(NETLINK_NETFILTER);
  return new NetlinkSocket(namespace === undefined ? open() : runIn(namespace, open), undefined, step);
}

/**
 * Deletes the entries that match, so that the next packet of these connections is translated by the rules of now, and
 * answers how many there were. Throws NetlinkError: EPERM, and EINVAL where the kernel has no conntrack.
 */
export function flushConntrack(socket: NetlinkSocket, filter: ConntrackFilter): number {
  const families = filter.destination === undefined ? [4, 6] : [filter.destination.length === 4 ? 4 : 6];
  let deleted = 0;
  for (const family of families) {
    const found = listConnections(socket, family as 4 | 6, filter).filter((one) => matches(one, filter));
    for (const connection of found) if (deleteConnection(socket, connection)) deleted += 1;
  }
  return deleted;
}

/**
 * Decodes IPCTNL_MSG_CT_NEW: struct nfgenmsg and CTA_*; undefined for other families than IP's. Throws
 * MalformedMessageError.
 */
export function decodeConnection(payload: Buffer): Connection | undefined {
  const { family, attributes } = decodeNetfilterPayload(payload);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const tuple = attributes.bytes(CTA_TUPLE_ORIG);
  if (tuple === undefined) throw new MalformedMessageError('connection without CTA_TUPLE_ORIG');
  const parts = new Attributes(tuple);
  const destination = parts.nested(CTA_TUPLE_IP)?.bytes(family === AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST);
  const proto = parts.nested(CTA_TUPLE_PROTO);
  return present<Connection>({
    family: family === AF_INET ? 4 : 6,
    protocol: proto?.u8(CTA_PROTO_NUM),
    destinationPort: proto && be16(proto, CTA_PROTO_DST_PORT),
    destination: destination && ipText(destination),
    name: Buffer.concat([
      nested(CTA_TUPLE_ORIG, tuple),
      ...[CTA_ZONE, CTA_ID].flatMap((type) => {
        const value = attributes.bytes(type);
        return value === undefined ? [] : [attribute(type, value)];
      }),
    ]),
  });
}

/** Linux 5.8 and newer answer those only that match; older ones do not know CTA_FILTER, and answer all. */
function listConnections(socket: NetlinkSocket, family: 4 | 6, filter: ConntrackFilter): Connection[] {
  try {
    return dump(socket, family, filterAttributes(family, filter));
  } catch (error) {
    if (!(error instanceof NetlinkError && (error.errno === EINVAL || error.errno === EOPNOTSUPP)))
      throw error;
    return dump(socket, family, []);
  }
}

function dump(socket: NetlinkSocket, family: 4 | 6, attributes: Buffer[]): Connection[] {
  return socket
    .dump({
      operation: `dump IPv${family} connections`,
      type: messageType(IPCTNL_MSG_CT_GET),
      payload: netfilterPayload(family === 4 ? AF_INET : AF_INET6, 0, ...attributes),
    })
    .flatMap(({ payload }) => decodeConnection(payload) ?? []);
}

function filterAttributes(
  family: 4 | 6,
  { protocol, destinationPort, destination }: ConntrackFilter,
): Buffer[] {
  const port = be16Attribute(CTA_PROTO_DST_PORT, destinationPort);
  const proto = nested(CTA_TUPLE_PROTO, u8Attribute(CTA_PROTO_NUM, protocol), port);
  const address =
    destination === undefined
      ? []
      : [nested(CTA_TUPLE_IP, attribute(family === 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, destination))];
  const flags = FILTER_PROTO_NUM | FILTER_DST_PORT | (destination === undefined ? 0 : FILTER_IP_DST);
  return [
    nested(CTA_TUPLE_ORIG, ...address, proto),
    nested(CTA_FILTER, u32Attribute(CTA_FILTER_ORIG_FLAGS, flags), u32Attribute(CTA_FILTER_REPLY_FLAGS, 0)),
  ];
}

function matches(
  connection: Connection,
  { protocol, destinationPort, destination }: ConntrackFilter,
): boolean {
  if (connection.protocol !== protocol || connection.destinationPort !== destinationPort) return false;
  return destination === undefined || connection.destination === ipText(Buffer.from(destination));
}

/** False when it has ended by itself, or the same packets have begun another. */
function deleteConnection(socket: NetlinkSocket, connection: Connection): boolean {
  const { family, destination, destinationPort, name } = connection;
  try {
    socket.request({
      operation: `delete connection to ${destination} port ${destinationPort}`,
      type: messageType(IPCTNL_MSG_CT_DELETE),
      payload: netfilterPayload(family === 4 ? AF_INET : AF_INET6, 0, name),
    });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENOENT) return false;
    throw error;
  }
}

const messageType = (type: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | type;

/** include/uapi/linux/netfilter/nfnetlink_conntrack.h */
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
/** CTA_FILTER_F_CTA_*, net/netfilter/nf_conntrack_netlink.c */
const FILTER_IP_DST = 1 << 1;
const FILTER_PROTO_NUM = 1 << 3;
const FILTER_DST_PORT = 1 << 5;

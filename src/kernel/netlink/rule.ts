import { Attributes, present } from './attribute.ts';
import { ipFamily, ipText } from './ip-address.ts';
import { leadingStruct } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** A rule that says which table a packet's route is looked for in, as `ip rule` shows it. */
export interface Rule {
  family: 4 | 6;
  /** FRA_PRIORITY: they are tried from the lowest on; absent for 0. */
  priority?: number;
  /** CIDR text; absent where it is for all addresses. */
  src?: string;
  dst?: string;
  /** FRA_IIFNAME and FRA_OIFNAME */
  iif?: string;
  oif?: string;
  /** FRA_FWMARK and FRA_FWMASK */
  mark?: number;
  mask?: number;
  /** FRA_IP_PROTO: 6 TCP, 17 UDP. */
  ipProtocol?: number;
  /** FRA_SPORT_RANGE and FRA_DPORT_RANGE: `80`, or `80-90`. */
  sport?: string;
  dport?: string;
  /** FRA_UID_RANGE, likewise. */
  uid?: string;
  tos?: number;
  /** FR_ACT_*: 1 look into the table, 2 goto, 3 nothing, 6 blackhole, 7 unreachable, 8 prohibit. */
  action: number;
  /** FRA_TABLE: 254 main, 255 local. */
  table: number;
  /** FRA_GOTO: the priority to go on with. */
  goto?: number;
  /** FRA_SUPPRESS_PREFIXLEN: routes with a prefix as short as this do not count. */
  suppressPrefixLength?: number;
  /** FRA_L3MDEV: the table is that of the VRF. */
  l3mdev?: boolean;
  /** FIB_RULE_INVERT: `not` */
  inverted?: boolean;
  /** FRA_PROTOCOL, RTPROT_*: 2 kernel, 3 boot. */
  protocol?: number;
}

/** All IPv4 and IPv6 rules of the socket's namespace. Throws as NetlinkSocket.dump does. */
export function listRules(socket: NetlinkSocket): Rule[] {
  return dumpRules(socket).flatMap((payload) => decodeRule(payload) ?? []);
}

/** The payloads of RTM_NEWRULE. Throws as NetlinkSocket.dump does. */
export function dumpRules(socket: NetlinkSocket): Buffer[] {
  return socket
    .dump({ operation: 'dump rules', type: RTM_GETRULE, payload: Buffer.alloc(SIZEOF_FIB_RULE_HDR) })
    .filter(({ type }) => type === RTM_NEWRULE)
    .map(({ payload }) => payload);
}

/**
 * Decodes the payload of RTM_NEWRULE: struct fib_rule_hdr and FRA_*; undefined for other families than IP's. Throws
 * MalformedMessageError.
 */
export function decodeRule(payload: Buffer): Rule | undefined {
  const header = leadingStruct(payload, 'struct fib_rule_hdr', SIZEOF_FIB_RULE_HDR);
  const family = ipFamily(header.readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(payload.subarray(SIZEOF_FIB_RULE_HDR));
  const prefix = (type: number, length: number): string | undefined => {
    const address = attributes.bytes(type);
    return address && `${ipText(address)}/${length}`;
  };
  const suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN);
  return present<Rule>({
    family,
    priority: attributes.u32(FRA_PRIORITY),
    src: prefix(FRA_SRC, header.readUInt8(2)),
    dst: prefix(FRA_DST, header.readUInt8(1)),
    iif: attributes.string(FRA_IIFNAME),
    oif: attributes.string(FRA_OIFNAME),
    mark: attributes.u32(FRA_FWMARK),
    mask: attributes.u32(FRA_FWMASK),
    ipProtocol: attributes.u8(FRA_IP_PROTO),
    sport: portRange(attributes.bytes(FRA_SPORT_RANGE)),
    dport: portRange(attributes.bytes(FRA_DPORT_RANGE)),
    uid: uidRange(attributes.bytes(FRA_UID_RANGE)),
    tos: header.readUInt8(3) || undefined,
    action: header.readUInt8(7),
    // The header has room for tables up to 255 only.
    table: attributes.u32(FRA_TABLE) ?? header.readUInt8(4),
    goto: attributes.u32(FRA_GOTO),
    // The kernel sends all ones where none is suppressed.
    suppressPrefixLength: suppressed === 0xffff_ffff ? undefined : suppressed,
    l3mdev: attributes.u8(FRA_L3MDEV) === 1 ? true : undefined,
    inverted: (header.readUInt32LE(8) & FIB_RULE_INVERT) !== 0 ? true : undefined,
    protocol: attributes.u8(FRA_PROTOCOL),
  });
}

/** struct fib_rule_port_range */
function portRange(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const range = leadingStruct(bytes, 'struct fib_rule_port_range', 4);
  return rangeText(range.readUInt16LE(0), range.readUInt16LE(2));
}

/** struct fib_rule_uid_range */
function uidRange(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const range = leadingStruct(bytes, 'struct fib_rule_uid_range', 8);
  return rangeText(range.readUInt32LE(0), range.readUInt32LE(4));
}

function rangeText(start: number, end: number): string {
  return start === end ? `${start}` : `${start}-${end}`;
}

/** include/uapi/linux/rtnetlink.h and fib_rules.h */
const RTM_NEWRULE = 32;
const RTM_GETRULE = 34;
const SIZEOF_FIB_RULE_HDR = 12;
const FIB_RULE_INVERT = 2;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_GOTO = 4;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_PROTOCOL = 21;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;

import { Attributes, present } from './attribute.ts';
import { ipFamily, ipText } from './ip-address.ts';
import { leadingStruct, MalformedMessageError } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** An address of an interface, as `ip address` shows it. */
export interface Address {
  /** Of the link that has it. */
  index: number;
  family: 4 | 6;
  /** IFA_LOCAL or else IFA_ADDRESS, in canonical text: the own address, also where the other end's is known. */
  address: string;
  prefixLength: number;
  /** IFA_F_*, include/uapi/linux/if_addr.h */
  flags: number;
  /** enum rt_scope_t: 0 universe, 200 site, 253 link, 254 host. */
  scope: number;
  /** IFA_LABEL, of IPv4 only: the link's name, mostly. */
  label?: string;
  /** IFA_ADDRESS, where it is another than the address: the other end's. */
  peer?: string;
  /** IFA_BROADCAST, of IPv4 only. */
  broadcast?: string;
  /** IFA_PROTO, IFAPROT_*, since Linux 5.18: 1 to 3 are the kernel's own doing. */
  protocol?: number;
}

/**
 * All IPv4 and IPv6 addresses of the socket's namespace, or of one of its links. Throws as NetlinkSocket.dump does:
 * ENODEV when there is no such link.
 */
export function listAddresses(socket: NetlinkSocket, index = 0): Address[] {
  return dumpAddresses(socket, index)
    .flatMap((payload) => decodeAddress(payload) ?? [])
    .filter((address) => index === 0 || address.index === index);
}

/** The payloads of RTM_NEWADDR, and perhaps of more links than the one. Throws as listAddresses does. */
export function dumpAddresses(socket: NetlinkSocket, index = 0): Buffer[] {
  const payload = Buffer.alloc(SIZEOF_IFADDRMSG);
  // Before Linux 4.20 the kernel does not look at it, and answers all.
  payload.writeUInt32LE(index, 4);
  return socket
    .dump({ operation: 'dump addresses', type: RTM_GETADDR, payload })
    .filter(({ type }) => type === RTM_NEWADDR)
    .map((message) => message.payload);
}

/**
 * Decodes the payload of RTM_NEWADDR: struct ifaddrmsg and IFA_*; undefined for other families than IP's. Throws
 * MalformedMessageError.
 */
export function decodeAddress(payload: Buffer): Address | undefined {
  const ifaddrmsg = leadingStruct(payload, 'struct ifaddrmsg', SIZEOF_IFADDRMSG);
  const family = ipFamily(ifaddrmsg.readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(payload.subarray(SIZEOF_IFADDRMSG));
  const peer = attributes.bytes(IFA_ADDRESS);
  const address = attributes.bytes(IFA_LOCAL) ?? peer;
  const broadcast = attributes.bytes(IFA_BROADCAST);
  if (address === undefined) throw new MalformedMessageError('RTM_NEWADDR has no address');
  return present<Address>({
    index: ifaddrmsg.readUInt32LE(4),
    family,
    address: ipText(address),
    prefixLength: ifaddrmsg.readUInt8(1),
    // The header has room for the first eight only.
    flags: attributes.u32(IFA_FLAGS) ?? ifaddrmsg.readUInt8(2),
    scope: ifaddrmsg.readUInt8(3),
    label: attributes.string(IFA_LABEL),
    peer: peer === undefined || peer.equals(address) ? undefined : ipText(peer),
    broadcast: broadcast && ipText(broadcast),
    protocol: attributes.u8(IFA_PROTO),
  });
}

/** Duplicate address detection has not ended: nothing may be sent from it yet. */
export const isTentative = ({ flags }: Address): boolean => (flags & IFA_F_TENTATIVE) !== 0;

/** Another one has the address: it stays unused. */
export const isDuplicate = ({ flags }: Address): boolean => (flags & IFA_F_DADFAILED) !== 0;

/** include/uapi/linux/rtnetlink.h and if_addr.h */
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const SIZEOF_IFADDRMSG = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_PROTO = 11;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

import { attribute } from './attribute.ts';
import { addressFamily, type IpPrefix, prefixText } from './ip-address.ts';
import type { LinkId } from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** An address to add. */
export interface NewAddress extends IpPrefix {
  /** IFA_F_NODAD, of IPv6: it counts at once, without the search for another who has it. */
  noDad?: boolean | undefined;
  /** enum rt_scope_t: 0 universe, 253 link, 254 host; of IPv4, for IPv6 derives it from the address. */
  scope?: number | undefined;
}

/**
 * Adds an address to a link. One of IPv4 gets a broadcast address as the reference gives it: the last of its
 * network, if that has room for one (RFC 3021). Throws NetlinkError: EEXIST when the link has it (IPv6: when any in
 * this namespace has), ENODEV when the link is gone, EACCES for IPv6 where that is disabled, EPERM.
 */
export function addAddress(socket: NetlinkSocket, link: LinkId, address: NewAddress): void {
  const attributes = [header(link, address), ...addressAttributes(address)];
  const broadcast = broadcastOf(address);
  if (broadcast !== undefined) attributes.push(attribute(IFA_BROADCAST, broadcast));
  socket.request({
    operation: `add ${prefixText(address)} to ${JSON.stringify(link.name)}`,
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: Buffer.concat(attributes),
  });
}

/**
 * Deletes an address of a link. Throws NetlinkError: EADDRNOTAVAIL when the link does not have it, ENODEV when the
 * link is gone, EPERM.
 */
export function deleteAddress(socket: NetlinkSocket, link: LinkId, address: IpPrefix): void {
  socket.request({
    operation: `delete ${prefixText(address)} from ${JSON.stringify(link.name)}`,
    type: RTM_DELADDR,
    payload: Buffer.concat([header(link, address), ...addressAttributes(address)]),
  });
}

/** struct ifaddrmsg */
function header({ index }: LinkId, { ip, prefixLength, noDad = false, scope = 0 }: NewAddress): Buffer {
  const ifaddrmsg = Buffer.alloc(SIZEOF_IFADDRMSG);
  ifaddrmsg.writeUInt8(addressFamily(ip), 0);
  ifaddrmsg.writeUInt8(prefixLength, 1);
  ifaddrmsg.writeUInt8(noDad ? IFA_F_NODAD : 0, 2);
  ifaddrmsg.writeUInt8(scope, 3);
  ifaddrmsg.writeUInt32LE(index, 4);
  return ifaddrmsg;
}

/** Both: IFA_ADDRESS would be the other end's, where there is one. */
function addressAttributes({ ip }: IpPrefix): Buffer[] {
  return [attribute(IFA_LOCAL, ip), attribute(IFA_ADDRESS, ip)];
}

function broadcastOf({ ip, prefixLength }: IpPrefix): Uint8Array | undefined {
  if (ip.length !== 4 || prefixLength > 30) return undefined;
  return ip.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, prefixLength - index * 8))));
}

/** include/uapi/linux/rtnetlink.h and if_addr.h */
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const SIZEOF_IFADDRMSG = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_F_NODAD = 0x02;

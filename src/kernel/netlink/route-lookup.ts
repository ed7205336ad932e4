import { EHOSTUNREACH, ENETUNREACH } from '../errno.ts';
import { Attributes, attribute } from './attribute.ts';
import { addressFamily, ipText } from './ip-address.ts';
import { leadingStruct } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/**
 * The index of the link that a packet to the address leaves by, as `ip route get` says; undefined when there is no way.
 * Throws NetlinkError.
 */
export function linkTowards(socket: NetlinkSocket, ip: Uint8Array): number | undefined {
  const rtmsg = Buffer.alloc(SIZEOF_RTMSG);
  rtmsg.writeUInt8(addressFamily(ip), 0);
  rtmsg.writeUInt8(ip.length * 8, 1);
  const payload = Buffer.concat([rtmsg, attribute(RTA_DST, ip)]);
  try {
    const [answer] = socket.request({
      operation: `find the route to ${ipText(ip)}`,
      type: RTM_GETROUTE,
      payload,
    });
    if (answer === undefined) return undefined;
    leadingStruct(answer.payload, 'struct rtmsg', SIZEOF_RTMSG);
    return new Attributes(answer.payload.subarray(SIZEOF_RTMSG)).u32(RTA_OIF);
  } catch (error) {
    if (error instanceof NetlinkError && [ENETUNREACH, EHOSTUNREACH].includes(error.errno)) return undefined;
    throw error;
  }
}

/** include/uapi/linux/rtnetlink.h */
const RTM_GETROUTE = 26;
const SIZEOF_RTMSG = 12;
const RTA_DST = 1;
const RTA_OIF = 4;

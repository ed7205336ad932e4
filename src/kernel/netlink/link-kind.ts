import { EINVAL, ENODEV, EOPNOTSUPP } from '../errno.ts';
import { nested, stringAttribute } from './attribute.ts';
import { encodeLinkHeader, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, RTM_NEWLINK } from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/**
 * Whether the kernel can make links of a kind, `veth` or `macvlan`, found out by making one of it; for a namespace that
 * nobody else is in. The kernel looks for its module first, and then at what is missing in the message. Throws
 * NetlinkError: EPERM.
 */
export function hasLinkKind(socket: NetlinkSocket, kind: string): boolean {
  try {
    socket.request({
      operation: `create ${kind}`,
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: Buffer.concat([
        encodeLinkHeader({}),
        stringAttribute(IFLA_IFNAME, `try-${kind}`),
        nested(IFLA_LINKINFO, stringAttribute(IFLA_INFO_KIND, kind)),
      ]),
    });
    return true;
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    if (error.errno === EOPNOTSUPP) return false;
    // Refused for what it does not say, and not for what it is.
    if (error.errno === EINVAL || error.errno === ENODEV) return true;
    throw error;
  }
}

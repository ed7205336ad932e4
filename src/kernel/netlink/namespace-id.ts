import type { Namespace } from '../netns.ts';
import { Attributes, u32Attribute } from './attribute.ts';
import { leadingStruct } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/**
 * The number that the socket's namespace has for another, as in IFLA_LINK_NETNSID; undefined where it has none, and so no
 * link whose other end is there. Each namespace has numbers of its own. Throws as NetlinkSocket.request does.
 */
export function namespaceId(socket: NetlinkSocket, other: Namespace): number | undefined {
  const messages = socket.request({
    operation: `get the number of ${other.path}`,
    type: RTM_GETNSID,
    payload: Buffer.concat([Buffer.alloc(SIZEOF_RTGENMSG), u32Attribute(NETNSA_FD, other.fd)]),
  });
  const answer = messages.find(({ type }) => type === RTM_NEWNSID);
  if (answer === undefined) return undefined;
  leadingStruct(answer.payload, 'struct rtgenmsg', SIZEOF_RTGENMSG);
  const id = new Attributes(answer.payload.subarray(SIZEOF_RTGENMSG)).s32(NETNSA_NSID);
  return id === NETNSA_NSID_NOT_ASSIGNED ? undefined : id;
}

/** include/uapi/linux/rtnetlink.h and net_namespace.h */
const RTM_NEWNSID = 88;
const RTM_GETNSID = 90;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;
const NETNSA_NSID_NOT_ASSIGNED = -1;
/** Of one byte, and filled up. */
const SIZEOF_RTGENMSG = 4;

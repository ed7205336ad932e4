import { Attributes, present } from './attribute.ts';
import { ipText } from './ip-address.ts';
import { align, MalformedMessageError } from './message.ts';

/** One way of a route that has several. */
export interface NextHop {
  gateway?: string;
  /** The index of the link that it leads out of. */
  oif: number;
  /** From 1 to 256. */
  weight: number;
}

/**
 * Decodes RTA_MULTIPATH: one struct rtnexthop after the other, each with its attributes, as RTNH_OK and RTNH_NEXT
 * walk them. Throws MalformedMessageError.
 */
export function decodeNextHops(bytes: Buffer): NextHop[] {
  const nextHops: NextHop[] = [];
  for (let offset = 0; offset + SIZEOF_RTNEXTHOP <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset);
    if (length < SIZEOF_RTNEXTHOP || length > bytes.length - offset) {
      throw new MalformedMessageError(`next hop of ${length} bytes at ${offset} of ${bytes.length}`);
    }
    const attributes = new Attributes(bytes.subarray(offset + SIZEOF_RTNEXTHOP, offset + length));
    nextHops.push(
      present<NextHop>({
        gateway: gatewayOf(attributes),
        oif: bytes.readInt32LE(offset + 4),
        weight: bytes.readUInt8(offset + 3) + 1,
      }),
    );
    offset += align(length);
  }
  return nextHops;
}

/** RTA_GATEWAY, or the address in RTA_VIA (struct rtvia), which an IPv4 route over an IPv6 neighbour has. */
export function gatewayOf(attributes: Attributes): string | undefined {
  const gateway = attributes.bytes(RTA_GATEWAY) ?? attributes.bytes(RTA_VIA)?.subarray(SIZEOF_RTVIA);
  return gateway === undefined ? undefined : ipText(gateway);
}

/** include/uapi/linux/rtnetlink.h */
const SIZEOF_RTNEXTHOP = 8;
const SIZEOF_RTVIA = 2;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;

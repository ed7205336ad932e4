import { Attributes, present } from './attribute.ts';
import {
  align,
  HEADER_LENGTH,
  leadingStruct,
  type NetlinkMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_ERROR,
} from './message.ts';

/** How a request or a dump ended. */
export interface Acknowledgement {
  /** Positive; 0 for success. */
  errno: number;
  kernelMessage?: string;
  /** Where in the request, in bytes from its header, the attribute is that the kernel did not like. */
  offset?: number;
}

/**
 * Reads NLMSG_ERROR (struct nlmsgerr: the error, then the request's header, its payload unless that was left out,
 * and attributes) and NLMSG_DONE (an int, then attributes). Throws MalformedMessageError.
 */
export function decodeAcknowledgement({ type, flags, payload }: NetlinkMessage): Acknowledgement {
  const errno = Math.abs(leadingStruct(payload, 'struct nlmsgerr', 4).readInt32LE());
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  let start = 4;
  if (type === NLMSG_ERROR) {
    const echoed = leadingStruct(payload, 'struct nlmsgerr', 4 + HEADER_LENGTH).readUInt32LE(4);
    start += (flags & NLM_F_CAPPED) === 0 ? Math.max(align(echoed), HEADER_LENGTH) : HEADER_LENGTH;
  }
  const attributes = new Attributes(payload.subarray(start));
  return present<Acknowledgement>({
    errno,
    kernelMessage: attributes.string(NLMSGERR_ATTR_MSG),
    offset: attributes.u32(NLMSGERR_ATTR_OFFS),
  });
}

const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

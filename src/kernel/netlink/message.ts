/** What the kernel sent is not what its headers say. A bug on one of the two sides; never a reason to read on. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** struct nlmsghdr, include/uapi/linux/netlink.h, and what follows it. All of netlink is in the host's byte order. */
export interface NetlinkMessage {
  type: number;
  flags: number;
  sequence: number;
  portId: number;
  payload: Buffer;
}

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
/** With an object that is made: its announcement comes to us, too. Of links since Linux 6.2. */
export const NLM_F_ECHO = 0x8;
export const NLM_F_DUMP = 0x300;
/** With an object to make: in place of another; never in place of another; when there is none; behind others. */
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
/** On an answer: the kernel left out the request's own payload, and added attributes. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

/** NLMSG_HDRLEN */
export const HEADER_LENGTH = 16;

/** NLMSG_ALIGN and NLA_ALIGN: both to four bytes. */
export const align = (length: number): number => (length + 3) & ~3;

/** One message, ready to send. The port ID is left to the kernel. */
export function encodeMessage(message: Omit<NetlinkMessage, 'portId'>): Buffer {
  const length = HEADER_LENGTH + message.payload.length;
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(message.type, 4);
  bytes.writeUInt16LE(message.flags, 6);
  bytes.writeUInt32LE(message.sequence, 8);
  message.payload.copy(bytes, HEADER_LENGTH);
  return bytes;
}

/** The messages of one datagram, as NLMSG_OK and NLMSG_NEXT walk it. Throws MalformedMessageError. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset < datagram.length; ) {
    const left = datagram.length - offset;
    const length = left < HEADER_LENGTH ? 0 : datagram.readUInt32LE(offset);
    if (length < HEADER_LENGTH || length > left) {
      throw new MalformedMessageError(`message of ${length} bytes at ${offset} of ${datagram.length}`);
    }
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      portId: datagram.readUInt32LE(offset + 12),
      payload: datagram.subarray(offset + HEADER_LENGTH, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** The fixed structure at the start of a payload. Throws MalformedMessageError when the payload ends inside it. */
export function leadingStruct(payload: Buffer, name: string, size: number): Buffer {
  if (payload.length < size) {
    throw new MalformedMessageError(`${name} needs ${size} bytes, not ${payload.length}`);
  }
  return payload.subarray(0, size);
}

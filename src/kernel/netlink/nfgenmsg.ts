import { Attributes } from './attribute.ts';
import { leadingStruct } from './message.ts';

/** NETLINK_NETFILTER, include/uapi/linux/netlink.h */
export const NETLINK_NETFILTER = 12;

/** NFNL_SUBSYS_*, include/uapi/linux/netfilter/nfnetlink.h: the high byte of a message's type. */
export const NFNL_SUBSYS_CTNETLINK = 1;
export const NFNL_SUBSYS_NFTABLES = 10;

/** The payload of a message of Netfilter: struct nfgenmsg (family, version 0, resource in network order), attributes. */
export function netfilterPayload(family: number, resource: number, ...attributes: Buffer[]): Buffer {
  const nfgenmsg = Buffer.alloc(SIZEOF_NFGENMSG);
  nfgenmsg.writeUInt8(family, 0);
  nfgenmsg.writeUInt16BE(resource, 2);
  return Buffer.concat([nfgenmsg, ...attributes]);
}

/** Takes such a payload apart. Throws MalformedMessageError. */
export function decodeNetfilterPayload(payload: Buffer): { family: number; attributes: Attributes } {
  const nfgenmsg = leadingStruct(payload, 'struct nfgenmsg', SIZEOF_NFGENMSG);
  return { family: nfgenmsg.readUInt8(0), attributes: new Attributes(payload.subarray(SIZEOF_NFGENMSG)) };
}

export const SIZEOF_NFGENMSG = 4;

import { Attributes } from '../netlink/attribute.ts';
import { ipText } from '../netlink/ip-address.ts';
import { MalformedMessageError } from '../netlink/message.ts';
import type { ForeignExpression } from './expression.ts';

/**
 * What is known of an expression that is none of ours: the name, and of a match or target of iptables (xtables) which
 * one it is, with what the reference's plugins give it. `comment` is said by `xtablesComment`.
 */
export function foreignText({ kernelName, data }: ForeignExpression): string {
  if (kernelName !== 'match' && kernelName !== 'target') return kernelName;
  const { name, info } = xtables(data);
  if (name === 'comment') return '';
  const more = MORE[name]?.(info) ?? '';
  return `${kernelName === 'target' ? '-j' : '-m'} ${name}${more === '' ? '' : ` ${more}`}`;
}

/** The text of `-m comment`, as iptables-nft keeps it. */
export function xtablesComment({ kernelName, data }: ForeignExpression): string | undefined {
  if (kernelName !== 'match') return undefined;
  const { name, info } = xtables(data);
  return name === 'comment' ? untilNul(info) : undefined;
}

function xtables(data: Buffer): { name: string; info: Buffer } {
  const none = Buffer.alloc(0);
  try {
    const attributes = new Attributes(data);
    return {
      name: attributes.string(NFTA_MATCH_NAME) ?? '?',
      info: attributes.bytes(NFTA_MATCH_INFO) ?? none,
    };
  } catch (error) {
    if (error instanceof MalformedMessageError) return { name: '?', info: none };
    throw error;
  }
}

const MORE: Readonly<Record<string, (info: Buffer) => string>> = {
  DNAT: natTarget,
  SNAT: natTarget,
  multiport,
};

/**
 * struct nf_nat_range and nf_nat_range2 of include/uapi/linux/netfilter/nf_nat.h: flags, two addresses of 16 bytes,
 * two ports; and struct nf_nat_ipv4_multi_range_compat, with a number before the flags and addresses of four bytes.
 */
function natTarget(info: Buffer): string {
  const isCompat = info.length >= 20 && info.length < 40;
  const size = isCompat ? 4 : 16;
  const start = isCompat ? 8 : 4;
  if (info.length < start + 2 * size + 2) return '';
  const flags = info.readUInt32LE(start - 4);
  const bytes = info.subarray(start, start + size);
  const isIpv4 = size === 4 || bytes.subarray(4).every((byte) => byte === 0);
  const address = ipText(isIpv4 ? bytes.subarray(0, 4) : bytes);
  const port = info.readUInt16BE(start + 2 * size);
  if ((flags & NF_NAT_RANGE_MAP_IPS) === 0) return '';
  if ((flags & NF_NAT_RANGE_PROTO_SPECIFIED) === 0) return `to ${address}`;
  return `to ${isIpv4 ? address : `[${address}]`}:${port}`;
}

/** struct xt_multiport_v1: what is compared, how many, 15 ports, which of them begin a range, inverted. */
function multiport(info: Buffer): string {
  if (info.length < 2 + 15 * 2 + 15 + 1) return '';
  const what = ['sports', 'dports', 'ports'][info.readUInt8(0)] ?? 'ports';
  const ports = Array.from({ length: Math.min(15, info.readUInt8(1)) }, (_, index) => {
    const port = info.readUInt16LE(2 + 2 * index);
    return `${port}${info.readUInt8(32 + index) === 1 ? ':' : ','}`;
  });
  return `${info.readUInt8(47) === 1 ? '! ' : ''}${what} ${ports.join('').replace(/,$/, '')}`;
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** include/uapi/linux/netfilter/nf_tables.h, where NFTA_TARGET_* are the same, and nf_nat.h */
const NFTA_MATCH_NAME = 1;
const NFTA_MATCH_INFO = 3;
const NF_NAT_RANGE_MAP_IPS = 1;
const NF_NAT_RANGE_PROTO_SPECIFIED = 2;

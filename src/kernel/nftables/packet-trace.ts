import { Attributes, present } from '../netlink/attribute.ts';
import { be32, be64, signedBe32 } from '../netlink/big-endian.ts';
import { type Channel, openChannel } from '../netlink/channel.ts';
import { decodeMessages, MalformedMessageError } from '../netlink/message.ts';
import { decodeNetfilterPayload, NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES } from '../netlink/nfgenmsg.ts';
import { type Namespace, runIn } from '../netns.ts';
import type { ChainName } from './chain.ts';
import { familyOf } from './family.ts';

/** What one rule, or the end of one chain, has said about a packet with `meta nftrace`. */
export interface TraceEvent extends ChainName {
  /** Of the packet, in this hook: what the kernel makes of its buffer. It may be another in the next one. */
  id: number;
  /** `rule` matched; `return` and `policy` are how a chain ends that no rule has decided. */
  kind: 'rule' | 'return' | 'policy';
  /** NFTA_TRACE_RULE_HANDLE, of `rule`. */
  handle?: number;
  /** NF_* and NFT_*: 0 drop, 1 accept, 3 queue; negative is where to go on. */
  verdict: number;
  /** NFTA_TRACE_IIF and _OIF, as links are numbered in the namespace. */
  iif?: number;
  oif?: number;
  /** In the first event of a base chain: the header of IP, and the first 20 bytes behind it. */
  network?: Buffer;
  transport?: Buffer;
}

/** NF_DROP of include/uapi/linux/netfilter.h */
export const NF_DROP = 0;

/** Listens to what the kernel reports of traced packets in a namespace, or in our own. Throws SystemError. */
export function openPacketTrace(namespace?: Namespace): PacketTrace {
  const open = (): Channel => openChannel(NETLINK_NETFILTER, [NFNLGRP_NFTRACE]);
  return new PacketTrace(namespace === undefined ? open() : runIn(namespace, open));
}

export class PacketTrace {
  readonly #channel: Channel;
  #isOpen = true;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * The next events, of one packet or of several; none when there were none for so long; `overrun` when the kernel threw
   * some away. Throws SystemError and MalformedMessageError.
   */
  read(atMostMs: number): TraceEvent[] | 'overrun' {
    const datagram = this.#channel.receive(atMostMs);
    if (datagram === 'overrun') return 'overrun';
    if (datagram === undefined) return [];
    return decodeMessages(datagram)
      .filter(({ type }) => type === ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE))
      .map(({ payload }) => decodeTraceEvent(payload));
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) this.#channel.close();
    this.#isOpen = false;
  }
}

/** Decodes NFT_MSG_TRACE: struct nfgenmsg and NFTA_TRACE_*. Throws MalformedMessageError. */
export function decodeTraceEvent(payload: Buffer): TraceEvent {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_TRACE_TABLE);
  const chain = attributes.string(NFTA_TRACE_CHAIN);
  const kind = KINDS[(be32(attributes, NFTA_TRACE_TYPE) ?? 0) - 1];
  if (table === undefined || chain === undefined || kind === undefined)
    throw new MalformedMessageError('trace of no rule and no policy');
  const handle = be64(attributes, NFTA_TRACE_RULE_HANDLE);
  return present<TraceEvent>({
    family: familyOf(family),
    table,
    chain,
    // The kernel ends each chain with a rule of its own, which has no handle.
    kind: kind === 'rule' && handle === undefined ? 'return' : kind,
    id: be32(attributes, NFTA_TRACE_ID) ?? 0,
    handle,
    verdict: verdictOf(attributes),
    iif: be32(attributes, NFTA_TRACE_IIF),
    oif: be32(attributes, NFTA_TRACE_OIF),
    network: attributes.bytes(NFTA_TRACE_NETWORK_HEADER),
    transport: attributes.bytes(NFTA_TRACE_TRANSPORT_HEADER),
  });
}

/** The policy's is in an attribute of its own. */
function verdictOf(attributes: Attributes): number {
  const verdict = attributes.bytes(NFTA_TRACE_VERDICT);
  const code = verdict === undefined ? undefined : signedBe32(new Attributes(verdict), NFTA_VERDICT_CODE);
  return be32(attributes, NFTA_TRACE_POLICY) ?? code ?? NFT_CONTINUE;
}

/** include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h */
const NFNLGRP_NFTRACE = 9;
const NFT_MSG_TRACE = 17;
const NFTA_TRACE_TABLE = 1;
const NFTA_TRACE_CHAIN = 2;
const NFTA_TRACE_RULE_HANDLE = 3;
const NFTA_TRACE_TYPE = 4;
const NFTA_TRACE_VERDICT = 5;
const NFTA_TRACE_ID = 6;
const NFTA_TRACE_NETWORK_HEADER = 8;
const NFTA_TRACE_TRANSPORT_HEADER = 9;
const NFTA_TRACE_IIF = 10;
const NFTA_TRACE_OIF = 12;
const NFTA_TRACE_POLICY = 16;
const NFTA_VERDICT_CODE = 1;
const NFT_CONTINUE = -1;
/** enum nft_trace_types, from 1 on */
const KINDS = ['policy', 'return', 'rule'] as const;

import { ENOBUFS, ENOENT, ETIMEDOUT } from '../errno.ts';
import { decodeAcknowledgement } from '../netlink/acknowledgement.ts';
import { be32 } from '../netlink/big-endian.ts';
import { type Channel, openChannel } from '../netlink/channel.ts';
import {
  decodeMessages,
  MalformedMessageError,
  type NetlinkMessage,
  NLMSG_ERROR,
} from '../netlink/message.ts';
import { NetlinkError } from '../netlink/netlink-error.ts';
import {
  decodeNetfilterPayload,
  NETLINK_NETFILTER,
  NFNL_SUBSYS_NFTABLES,
  netfilterPayload,
} from '../netlink/nfgenmsg.ts';
import { NetlinkSocket, type Step } from '../netlink/socket.ts';
import { type Namespace, runIn } from '../netns.ts';
import type { Batch } from './batch.ts';
import { NFPROTO_UNSPEC } from './family.ts';

/** A question to nftables. */
export interface Query {
  /** In words, for errors: `list tables`. */
  operation: string;
  /** NFT_MSG_GET* */
  type: number;
  /** NFPROTO_* */
  family: number;
  attributes: readonly Buffer[];
}

/**
 * Opens a socket for nftables in a namespace, or in our own. It stays there, wherever the thread goes next. Throws
 * SystemError: EPROTONOSUPPORT where the kernel has no netfilter.
 */
export function openNftables(namespace?: Namespace, step?: Step): Nftables {
  const open = (): Channel => openChannel(NETLINK_NETFILTER);
  return new Nftables(namespace === undefined ? open() : runIn(namespace, open), step);
}

/** The nftables of one namespace. Its methods throw NetlinkError, SystemError and MalformedMessageError. */
export class Nftables {
  readonly #channel: Channel;
  readonly #queries: NetlinkSocket;
  readonly #step: Step;
  // Far from what NetlinkSocket counts on the same channel.
  #sequence = 0x8000_0000;
  #isOpen = true;

  constructor(channel: Channel, step: Step = (_, operation) => operation()) {
    this.#channel = channel;
    this.#queries = new NetlinkSocket(channel, TIMEOUT_MS, step);
    this.#step = step;
  }

  /** Counts the transactions of this namespace. With it, a batch goes through only if there was none since. */
  generation(): number {
    const query = {
      operation: 'get the generation of nftables',
      type: NFT_MSG_GETGEN,
      family: NFPROTO_UNSPEC,
    };
    const [answer] = this.#request({ ...query, attributes: [] });
    const generation = answer && be32(decodeNetfilterPayload(answer.payload).attributes, NFTA_GEN_ID);
    if (generation === undefined) throw new MalformedMessageError('no generation');
    return generation;
  }

  /** All objects of a kind. */
  dump({ operation, type, family, attributes }: Query): NetlinkMessage[] {
    const payload = netfilterPayload(family, 0, ...attributes);
    return this.#queries.dump({ operation, type: messageType(type), payload });
  }

  /** The same; none when the table, chain or set that was asked for is not there. */
  dumpIfThere(query: Query): NetlinkMessage[] {
    return noneIfMissing(() => this.dump(query));
  }

  /** One object; nothing when it is not there. */
  find(query: Query): NetlinkMessage[] {
    return noneIfMissing(() => this.#request(query));
  }

  /**
   * Makes all changes of a batch, or none. A NetlinkError has the words of the first message that failed, and those
   * of the element in it where the kernel says which. ERESTART: nftables was changed after `generation`; EBUSY: what is
   * to be deleted is in use.
   */
  commit(batch: Batch, { generation }: { generation?: number } = {}): void {
    if (batch.messages.length === 0) return;
    this.#step(commitText(batch), () => this.#commit(batch, generation));
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) this.#queries.close();
    this.#isOpen = false;
  }

  #request({ operation, type, family, attributes }: Query): NetlinkMessage[] {
    const payload = netfilterPayload(family, 0, ...attributes);
    return this.#queries.request({ operation, type: messageType(type), payload });
  }

  /**
   * The kernel works while we send, and its answers are there afterwards: errors in the order of the messages, the
   * acknowledgement of the last one behind them, whatever came of the others; an error of NFNL_MSG_BATCH_BEGIN
   * before all.
   */
  #commit(batch: Batch, generation: number | undefined): void {
    const begin = this.#sequence;
    const last = begin + batch.messages.length;
    this.#sequence = last + 2 > 0xffff_ff00 ? 0x8000_0000 : last + 2;
    this.#channel.send(batch.encode(begin, generation));
    const deadline = performance.now() + TIMEOUT_MS;
    let failure: NetlinkError | undefined;
    let isOverrun = false;
    for (;;) {
      const datagram = this.#channel.receive(isOverrun ? 1 : undefined);
      if (datagram === undefined) {
        // More errors than there was room for: these were the first, and the rest of the answer is lost.
        if (failure !== undefined) throw failure;
        if (isOverrun) throw new NetlinkError(commitText(batch), ENOBUFS);
        if (performance.now() < deadline) continue;
        throw new NetlinkError(commitText(batch), ETIMEDOUT, `no answer in ${TIMEOUT_MS} ms`);
      }
      if (datagram === 'overrun') isOverrun = true;
      else {
        for (const message of decodeMessages(datagram)) {
          if (message.type !== NLMSG_ERROR || message.portId !== this.#channel.portId) continue;
          if (message.sequence < begin || message.sequence > last) continue;
          failure ??= failureOf(message, batch, message.sequence - begin - 1);
          if (message.sequence !== last && message.sequence !== begin) continue;
          if (failure !== undefined) throw failure;
          return;
        }
      }
    }
  }
}

const messageType = (type: number): number => (NFNL_SUBSYS_NFTABLES << 8) | type;

function commitText({ messages }: Batch): string {
  const [only] = messages;
  return only !== undefined && messages.length === 1
    ? only.operation
    : `commit ${messages.length} changes of nftables`;
}

function failureOf(message: NetlinkMessage, batch: Batch, index: number): NetlinkError | undefined {
  const { errno, kernelMessage, offset } = decodeAcknowledgement(message);
  if (errno === 0) return undefined;
  const failed = batch.messages[index];
  const part = offset === undefined ? undefined : failed?.operationAt?.(offset);
  return new NetlinkError(part ?? failed?.operation ?? commitText(batch), errno, kernelMessage);
}

function noneIfMissing(ask: () => NetlinkMessage[]): NetlinkMessage[] {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENOENT) return [];
    throw error;
  }
}

const TIMEOUT_MS = 5000;

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_MSG_GETGEN = 16;
const NFTA_GEN_ID = 1;

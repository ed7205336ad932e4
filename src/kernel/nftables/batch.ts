import { be32Attribute } from '../netlink/big-endian.ts';
import { encodeMessage, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.ts';
import { NFNL_SUBSYS_NFTABLES, netfilterPayload } from '../netlink/nfgenmsg.ts';

/** One change. */
export interface BatchMessage {
  /** In words, for errors: `add table inet cni_debug`. */
  operation: string;
  /** NFT_MSG_* */
  type: number;
  /** Beside NLM_F_REQUEST: NLM_F_CREATE, NLM_F_EXCL, NLM_F_APPEND. */
  flags: number;
  /** NFPROTO_* */
  family: number;
  attributes: Buffer[];
  /** Where a message has several objects: the words for the one at an offset, which extended acknowledgements name. */
  operationAt?: (offset: number) => string | undefined;
}

/** Changes that the kernel makes together, in this order, or not at all. */
export class Batch {
  readonly #messages: BatchMessage[] = [];
  #setId = 0;

  add(message: BatchMessage): void {
    this.#messages.push(message);
  }

  get messages(): readonly BatchMessage[] {
    return this.#messages;
  }

  /** NFTA_SET_ID, by which the messages of a batch name a set that it makes; no other meaning. */
  nextSetId(): number {
    this.#setId += 1;
    return this.#setId;
  }

  /**
   * The bytes: NFNL_MSG_BATCH_BEGIN with the sequence number `sequence`, the messages with the ones after it, and
   * NFNL_MSG_BATCH_END. Only the last message asks for an acknowledgement: the kernel answers in order, errors without
   * being asked. (Before Linux 6.9 it ignores the flag on NFNL_MSG_BATCH_END.) With a generation, the kernel refuses
   * all of it (ERESTART) when anything was changed since that one.
   */
  encode(sequence: number, generation?: number): Buffer {
    const condition = generation === undefined ? [] : [be32Attribute(NFNL_BATCH_GENID, generation)];
    const bound = netfilterPayload(0, NFNL_SUBSYS_NFTABLES);
    const begin = netfilterPayload(0, NFNL_SUBSYS_NFTABLES, ...condition);
    const last = this.#messages.length - 1;
    return Buffer.concat([
      encodeMessage({ type: NFNL_MSG_BATCH_BEGIN, flags: NLM_F_REQUEST, sequence, payload: begin }),
      ...this.#messages.map(({ type, flags, family, attributes }, index) =>
        encodeMessage({
          type: (NFNL_SUBSYS_NFTABLES << 8) | type,
          flags: NLM_F_REQUEST | flags | (index === last ? NLM_F_ACK : 0),
          sequence: sequence + 1 + index,
          payload: netfilterPayload(family, 0, ...attributes),
        }),
      ),
      encodeMessage({
        type: NFNL_MSG_BATCH_END,
        flags: NLM_F_REQUEST,
        sequence: sequence + 1 + this.#messages.length,
        payload: bound,
      }),
    ]);
  }
}

/** include/uapi/linux/netfilter/nfnetlink.h */
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_BATCH_GENID = 1;

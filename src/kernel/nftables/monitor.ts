import { ETIMEDOUT } from '../errno.ts';
import { decodeAcknowledgement } from '../netlink/acknowledgement.ts';
import { be32 } from '../netlink/big-endian.ts';
import { type Channel, openChannel } from '../netlink/channel.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_REQUEST,
  NLMSG_ERROR,
} from '../netlink/message.ts';
import { NetlinkError } from '../netlink/netlink-error.ts';
import {
  decodeNetfilterPayload,
  NETLINK_NETFILTER,
  NFNL_SUBSYS_NFTABLES,
  netfilterPayload,
} from '../netlink/nfgenmsg.ts';
import { type Namespace, runIn } from '../netns.ts';

/** One object that was made, changed or deleted. */
export interface NftablesChange {
  kind: NftablesKind;
  deleted: boolean;
  /**
   * What NFT_MSG_NEW* would have of it, for decodeTable and its like; of a set or chain that was deleted, its name
   * only.
   */
  payload: Buffer;
  /** Whose transaction it was: NFTA_GEN_PROC_*. */
  process?: NftablesProcess;
}

export interface NftablesProcess {
  readonly pid: number;
  /** Its `comm`, at most 15 bytes. */
  readonly name: string;
}

export type NftablesKind = 'table' | 'chain' | 'rule' | 'set' | 'elements';

/**
 * Listens to all changes of nftables in a namespace, or in our own, from now on. What it hears costs as much as it
 * is, where two lists of a large ruleset cost milliseconds each; it waits in `room` bytes. Throws SystemError: EPERM
 * for whoever may not.
 */
export function openNftablesMonitor(namespace?: Namespace, room = ROOM): NftablesMonitor {
  const open = (): Channel => openChannel(NETLINK_NETFILTER, [NFNLGRP_NFTABLES], room);
  return new NftablesMonitor(namespace === undefined ? open() : runIn(namespace, open));
}

export class NftablesMonitor {
  readonly #channel: Channel;
  #sequence = 0;
  #isOpen = true;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * What was changed since the last time, in order; `isWhole` is false when there was more than there is room for, and
   * the rest is lost. It does not wait: a question whose answer comes behind all of it says where it ends. Throws
   * NetlinkError (EOPNOTSUPP and EINVAL where the kernel has no nftables), SystemError and MalformedMessageError.
   */
  read(): { changes: NftablesChange[]; isWhole: boolean } {
    const changes: NftablesChange[] = [];
    let isWhole = true;
    /** Those of a transaction that is not over. */
    let open: NftablesChange[] = [];
    this.#ask();
    const deadline = performance.now() + TIMEOUT_MS;
    do {
      const datagram = this.#channel.receive(isWhole ? undefined : 1);
      if (datagram === 'overrun') isWhole = false;
      // There may have been no room for the answer either.
      else if (datagram === undefined && !isWhole) this.#ask();
      else if (datagram !== undefined) {
        for (const message of decodeMessages(datagram)) {
          if (message.portId === this.#channel.portId && message.sequence === this.#sequence) {
            refuseError(message);
            return { changes: [...changes, ...open], isWhole };
          }
          if (message.type >> 8 !== NFNL_SUBSYS_NFTABLES) continue;
          const type = message.type & 0xff;
          if (type === NFT_MSG_NEWGEN) {
            const process = processOf(message.payload);
            if (process !== undefined) for (const change of open) change.process = process;
            changes.push(...open);
            open = [];
          } else {
            const known = TYPES[type];
            if (known !== undefined) open.push({ ...known, payload: message.payload });
          }
        }
      }
    } while (performance.now() < deadline);
    throw new NetlinkError(OPERATION, ETIMEDOUT, `no answer in ${TIMEOUT_MS} ms`);
  }

  #ask(): void {
    this.#sequence += 1;
    this.#channel.send(question(this.#sequence));
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) this.#channel.close();
    this.#isOpen = false;
  }
}

const OPERATION = 'listen to nftables';
const TIMEOUT_MS = 5000;
/** Bytes, for tens of thousands of rules. Memory is taken for what waits only. */
const ROOM = 16 << 20;

/** NFT_MSG_GETGEN */
function question(sequence: number): Buffer {
  const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
  return encodeMessage({ type, flags: NLM_F_REQUEST, sequence, payload: netfilterPayload(0, 0) });
}

function refuseError(message: NetlinkMessage): void {
  if (message.type !== NLMSG_ERROR) return;
  const { errno, kernelMessage } = decodeAcknowledgement(message);
  if (errno !== 0) throw new NetlinkError(OPERATION, errno, kernelMessage);
}

function processOf(payload: Buffer): NftablesProcess | undefined {
  const { attributes } = decodeNetfilterPayload(payload);
  const pid = be32(attributes, NFTA_GEN_PROC_PID);
  const name = attributes.string(NFTA_GEN_PROC_NAME);
  return pid === undefined || name === undefined ? undefined : { pid, name };
}

/** include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h */
const NFNLGRP_NFTABLES = 7;
const NFT_MSG_NEWGEN = 15;
const NFT_MSG_GETGEN = 16;
const NFTA_GEN_PROC_PID = 2;
const NFTA_GEN_PROC_NAME = 3;
/** enum nf_tables_msg_types: NFT_MSG_NEW* and NFT_MSG_DEL*. */
const TYPES: Readonly<Record<number, { kind: NftablesKind; deleted: boolean }>> = {
  0: { kind: 'table', deleted: false },
  2: { kind: 'table', deleted: true },
  3: { kind: 'chain', deleted: false },
  5: { kind: 'chain', deleted: true },
  6: { kind: 'rule', deleted: false },
  8: { kind: 'rule', deleted: true },
  9: { kind: 'set', deleted: false },
  11: { kind: 'set', deleted: true },
  12: { kind: 'elements', deleted: false },
  14: { kind: 'elements', deleted: true },
};

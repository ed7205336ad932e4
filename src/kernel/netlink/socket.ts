import { EINTR, ENOBUFS, ETIMEDOUT } from '../errno.ts';
import { type Namespace, runIn } from '../netns.ts';
import { decodeAcknowledgement } from './acknowledgement.ts';
import { type Channel, openChannel } from './channel.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from './message.ts';
import { NetlinkError } from './netlink-error.ts';

export interface Request {
  /** In words, for errors: `dump links`. */
  operation: string;
  type: number;
  /** Beside NLM_F_REQUEST, and NLM_F_ACK or NLM_F_DUMP. */
  flags?: number;
  payload: Buffer;
}

/** What every request and dump is run by, with its operation in words: it may look how long that takes. */
export type Step = <T>(name: string, operation: () => T) => T;

/**
 * Opens a socket of NETLINK_ROUTE in a namespace, or in our own. It stays there, wherever the thread goes next.
 * Throws SystemError.
 */
export function openRouteSocket(namespace?: Namespace, step?: Step): NetlinkSocket {
  const open = (): Channel => openChannel(NETLINK_ROUTE);
  return new NetlinkSocket(
    namespace === undefined ? open() : runIn(namespace, open),
    ANSWER_TIMEOUT_MS,
    step,
  );
}

/** Requests and their answers, one after the other. */
export class NetlinkSocket {
  readonly #channel: Channel;
  readonly #timeoutMs: number;
  readonly #step: Step;
  #sequence = 0;
  #isOpen = true;

  constructor(channel: Channel, timeoutMs = ANSWER_TIMEOUT_MS, step: Step = (_, operation) => operation()) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#step = step;
  }

  /**
   * Asks for one object, or for a change, and answers the messages before the acknowledgement. Throws NetlinkError
   * (ETIMEDOUT when the kernel does not answer), SystemError and MalformedMessageError.
   */
  request(request: Request): NetlinkMessage[] {
    return this.#step(request.operation, () => {
      const answer = this.#converse(request, NLM_F_ACK);
      // Not repeated: the change may have been made.
      if (!answer.isWhole) throw new NetlinkError(request.operation, ENOBUFS);
      return answer.messages;
    });
  }

  /**
   * Asks for all objects of a kind. A dump during which these changed is repeated: parts of it may be missing.
   * Throws NetlinkError (EINTR when they changed each time), SystemError and MalformedMessageError.
   */
  dump(request: Request): NetlinkMessage[] {
    return this.#step(request.operation, () => {
      for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
        const answer = this.#converse(request, NLM_F_DUMP);
        if (answer.isWhole) return answer.messages;
      }
      throw new NetlinkError(request.operation, EINTR, `changed during each of ${DUMP_ATTEMPTS} attempts`);
    });
  }

  /** May be called twice. */
  close(): void {
    if (this.#isOpen) this.#channel.close();
    this.#isOpen = false;
  }

  #converse({ operation, type, flags = 0, payload }: Request, mode: number): Answer {
    this.#sequence += 1;
    const answer = new Answer(operation, this.#sequence, this.#channel.portId);
    this.#channel.send(
      encodeMessage({ type, flags: NLM_F_REQUEST | mode | flags, sequence: this.#sequence, payload }),
    );
    const deadline = performance.now() + this.#timeoutMs;
    do {
      const datagram = this.#channel.receive();
      if (datagram !== undefined) answer.take(datagram);
      if (answer.isEnded) return answer;
    } while (performance.now() < deadline);
    throw new NetlinkError(operation, ETIMEDOUT, `no answer in ${this.#timeoutMs} ms`);
  }
}

/** include/uapi/linux/netlink.h */
const NETLINK_ROUTE = 0;
const DUMP_ATTEMPTS = 16;
/** All processes of a machine take turns in the kernel: 200 calls at once may keep one of them waiting for long. */
const ANSWER_TIMEOUT_MS = 30_000;

/** What has come for one request until now. */
class Answer {
  readonly messages: NetlinkMessage[] = [];
  isEnded = false;
  /** False when some of it was thrown away, or may be of another time than the rest. */
  isWhole = true;

  constructor(
    private readonly operation: string,
    private readonly sequence: number,
    private readonly portId: number,
  ) {}

  take(datagram: Buffer | 'overrun'): void {
    if (datagram === 'overrun') this.isWhole = false;
    else for (const message of decodeMessages(datagram)) this.#takeMessage(message);
  }

  #takeMessage(message: NetlinkMessage): void {
    // The rest of an earlier answer, which was given up.
    if (message.sequence !== this.sequence || message.portId !== this.portId) return;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) this.isWhole = false;
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) this.#end(message);
    else if (message.type === NLMSG_OVERRUN) this.isWhole = false;
    else if (message.type !== NLMSG_NOOP) this.messages.push(message);
  }

  #end(message: NetlinkMessage): void {
    const { errno, kernelMessage } = decodeAcknowledgement(message);
    if (errno !== 0) throw new NetlinkError(this.operation, errno, kernelMessage);
    this.isEnded = true;
  }
}

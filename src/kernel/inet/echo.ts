import { EHOSTUNREACH, EMSGSIZE } from '../errno.ts';
import { ipText } from '../netlink/ip-address.ts';
import type { Namespace } from '../netns.ts';
import { SystemError } from '../system-error.ts';
import { decodeIcmp, encodeEcho, type IcmpMessage } from './icmp-message.ts';
import { type InetSocket, openInetSocket } from './inet-socket.ts';

/** What came of one echo request. */
export type EchoAnswer =
  | { readonly kind: 'reply'; readonly ms: number }
  /** ICMP says that it did not get there; `from` is who says so. */
  | (Extract<IcmpMessage, { kind: 'error' }> & { readonly from: string })
  | { readonly kind: 'silence' };

export interface EchoRequest {
  readonly target: Uint8Array;
  /** The first bytes of what it carries; zeros follow. */
  readonly payload: Uint8Array;
  /** Bytes of the whole packet, with the header of IP; as many as the payload needs unless said. */
  readonly packetBytes?: number;
  /** How long to wait. */
  readonly atMostMs: number;
}

/** Opens what sends echo requests, from an address or from the one that the kernel takes. Throws SystemError. */
export function openEcho(family: 4 | 6, namespace?: Namespace, source?: Uint8Array): Echo {
  const socket = openInetSocket('icmp', family, namespace);
  try {
    // Never in fragments, and in the length that is asked for, whatever is known of the path.
    if (family === 4) socket.setOption(IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
    else socket.setOption(IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
    if (source !== undefined) socket.bind({ ip: source, port: 0 });
    return new Echo(socket, family);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** For `using`. */
export class Echo {
  readonly #id = crypto.getRandomValues(new Uint16Array(1))[0] as number;
  #sequence = 0;

  constructor(
    private readonly socket: InetSocket,
    private readonly family: 4 | 6,
  ) {}

  /**
   * Sends one echo request, and waits for what comes of it. Throws SystemError: ENETUNREACH without a route, EPERM where a
   * rule of this namespace drops it, EMSGSIZE when it is longer than the link takes.
   */
  ask({ target, payload, packetBytes = 0, atMostMs }: EchoRequest): EchoAnswer {
    const headers = (this.family === 4 ? 20 : 40) + 8;
    const bytes = Buffer.alloc(Math.max(payload.length, packetBytes - headers));
    bytes.set(payload);
    this.#sequence += 1;
    const begun = performance.now();
    this.socket.sendTo(encodeEcho(this.family, this.#id, this.#sequence, bytes), { ip: target, port: 0 });
    for (;;) {
      const leftMs = begun + atMostMs - performance.now();
      if (leftMs <= 0) return { kind: 'silence' };
      const received = this.#receive(leftMs);
      const message = received && decodeIcmp(this.family, received.data);
      if (message === undefined || message.id !== this.#id) continue;
      if (message.kind === 'error') return { ...message, from: ipText(received?.from.ip ?? target) };
      if (
        message.payload.length !== bytes.length ||
        !message.payload.subarray(0, payload.length).equals(payload)
      )
        continue;
      return { kind: 'reply', ms: performance.now() - begun };
    }
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** An error that came back before is told once more by the socket, where it is heard as a message. */
  #receive(atMostMs: number): ReturnType<InetSocket['receive']> {
    try {
      return this.socket.receive(atMostMs);
    } catch (error) {
      if (error instanceof SystemError && [EMSGSIZE, EHOSTUNREACH].includes(error.errno)) return undefined;
      throw error;
    }
  }
}

/** include/uapi/linux/in.h and in6.h */
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
const PMTUDISC_PROBE = 3;

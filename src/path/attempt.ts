import {
  EACCES,
  EAGAIN,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINPROGRESS,
  EMSGSIZE,
  ENETUNREACH,
  EPERM,
  ETIMEDOUT,
} from '../kernel/errno.ts';
import type { Echo } from '../kernel/inet/echo.ts';
import { type InetSocket, openInetSocket } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import type { Namespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/** What the one who asked has heard. */
export interface Outcome {
  readonly kind:
    | 'answered'
    /** Nobody listens there, or somebody says so. */
    | 'refused'
    /** Somebody says that it cannot get there, or our own kernel does. */
    | 'unreachable'
    /** Our own kernel did not send it: a rule of the namespace, or a route that prohibits. */
    | 'forbidden'
    | 'silent';
  readonly ms: number;
  /** What the kernel said, where it is no answer. */
  readonly error?: SystemError;
  /** Of UDP. */
  readonly answer?: Buffer;
}

/** Asks once, and waits for so many ms; sends the same again where the protocol does. */
export type Attempt = (atMostMs: number) => Outcome;

/** The address that a namespace sends from to a target. Throws SystemError: ENETUNREACH when there is no way. */
export function sourceTowards(namespace: Namespace | undefined, target: Endpoint): Uint8Array {
  using socket = openInetSocket('udp', target.ip.length === 4 ? 4 : 6, namespace);
  socket.connect(target.port === 0 ? { ...target, port: 9 } : target);
  return socket.local().ip;
}

/** A connection of TCP, from a port that stays the same; it is closed as soon as it is there. */
export function tcpAttempt(namespace: Namespace | undefined, from: Endpoint, to: Endpoint): Attempt {
  return (atMostMs) =>
    outcomeOf(() => {
      using socket = openInetSocket('tcp', to.ip.length === 4 ? 4 : 6, namespace);
      // Without it, the port of a connection that was there rests for a minute.
      socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
      socket.bind(from);
      socket.connect(to, atMostMs);
      return {};
    });
}

/** A question by UDP over a socket that is connected; it is sent again after a second. */
export function udpAttempt(socket: InetSocket, query: Buffer, isAnswer: (data: Buffer) => boolean): Attempt {
  return (atMostMs) =>
    outcomeOf((begun) => {
      const deadline = begun + atMostMs;
      for (let resendAt = begun; performance.now() < deadline; ) {
        if (performance.now() >= resendAt) {
          socket.send(query);
          resendAt += RESEND_MS;
        }
        const answer = socket.receive(Math.max(1, Math.min(resendAt, deadline) - performance.now()))?.data;
        if (answer !== undefined && isAnswer(answer)) return { answer };
      }
      return undefined;
    });
}

/** An echo of ICMP that carries a cookie; it is sent again after a second. */
export function echoAttempt(echo: Echo, target: Uint8Array, cookie: Uint8Array): Attempt {
  return (atMostMs) =>
    outcomeOf((begun) => {
      for (;;) {
        const leftMs = begun + atMostMs - performance.now();
        if (leftMs <= 0) return undefined;
        const answer = echo.ask({ target, payload: cookie, atMostMs: Math.min(RESEND_MS, leftMs) });
        if (answer.kind === 'reply') return {};
        if (answer.kind === 'error')
          throw new SystemError('echo', EHOSTUNREACH, `${answer.from} answers that it is ${answer.reason}`);
      }
    });
}

const RESEND_MS = 1000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

function outcomeOf(ask: (begun: number) => { answer?: Buffer } | undefined): Outcome {
  const begun = performance.now();
  const ms = (): number => performance.now() - begun;
  try {
    const answered = ask(begun);
    return answered === undefined
      ? { kind: 'silent', ms: ms() }
      : { kind: 'answered', ms: ms(), ...answered };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const kind = KINDS[error.errno];
    if (kind === undefined) throw error;
    return { kind, ms: ms(), error };
  }
}

const KINDS: Readonly<Record<number, Outcome['kind']>> = {
  [ECONNREFUSED]: 'refused',
  [EHOSTUNREACH]: 'unreachable',
  [ENETUNREACH]: 'unreachable',
  [EMSGSIZE]: 'unreachable',
  [EPERM]: 'forbidden',
  [EACCES]: 'forbidden',
  // What SO_SNDTIMEO ends, and what TCP gives up by itself.
  [EINPROGRESS]: 'silent',
  [EAGAIN]: 'silent',
  [ETIMEDOUT]: 'silent',
};

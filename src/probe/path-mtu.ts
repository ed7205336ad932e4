import { EMSGSIZE } from '../kernel/errno.ts';
import { type EchoAnswer, openEcho } from '../kernel/inet/echo.ts';
import type { Namespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { newCookie } from '../path/flow.ts';

/** How long packets to a host may be. */
export type PathMtu =
  | { readonly kind: 'whole'; readonly ms: number }
  /** Somebody on the way says so, and what fits. */
  | { readonly kind: 'too-long'; readonly from: string; readonly mtu?: number }
  /** Longer ones vanish; this is the longest that came back. */
  | { readonly kind: 'vanishes'; readonly longest: number }
  /** No echo of any length is answered. */
  | { readonly kind: 'unknown' };

/**
 * Sends an echo as long as the link takes, and not in fragments; where it vanishes, looks for the length that does not. Throws
 * SystemError, as Echo.ask does.
 */
export function pathMtu(
  namespace: Namespace,
  { source, target, linkMtu }: { source: Uint8Array; target: Uint8Array; linkMtu: number },
  timeFor: (ms: number) => number,
): PathMtu {
  const family = target.length === 4 ? 4 : 6;
  using echo = openEcho(family, namespace, source);
  const payload = newCookie();
  const ask = (packetBytes: number): EchoAnswer => {
    const atMostMs = timeFor(WAIT_MS);
    if (atMostMs === 0) return { kind: 'silence' };
    return askOf(() => echo.ask({ target, payload, packetBytes, atMostMs }));
  };
  const patient = (bytes: number): EchoAnswer => {
    const answer = ask(bytes);
    return answer.kind === 'silence' ? ask(bytes) : answer;
  };
  if (patient(0).kind !== 'reply') return { kind: 'unknown' };
  let answer = patient(linkMtu);
  if (answer.kind === 'reply') return { kind: 'whole', ms: answer.ms };
  let [fits, fails] = [LEAST[family], linkMtu];
  // Who says so may say it of any length on the way there.
  while (answer.kind === 'silence' && fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    answer = ask(middle);
    if (answer.kind === 'reply') fits = middle;
    else fails = middle;
    if (answer.kind === 'reply') answer = { kind: 'silence' };
  }
  if (answer.kind === 'error' && answer.reason === 'too-long') {
    const { from, mtu } = answer;
    return { kind: 'too-long', from, ...(mtu === undefined ? {} : { mtu }) };
  }
  return { kind: 'vanishes', longest: fits };
}

const WAIT_MS = 300;
/** RFC 791 and 8200: what every path takes. */
const LEAST = { 4: 576, 6: 1280 };

/** What the kernel itself finds too long is not sent. */
function askOf(ask: () => EchoAnswer): EchoAnswer {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof SystemError && error.errno === EMSGSIZE)) throw error;
    return { kind: 'error', reason: 'too-long', code: 0, id: 0, from: 'the kernel of the container' };
  }
}

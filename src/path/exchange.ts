import { parseIp } from '../cni/address.ts';
import { present } from '../kernel/netlink/attribute.ts';
import { ipText } from '../kernel/netlink/ip-address.ts';
import type { Namespace } from '../kernel/netns.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { findStop } from './find-stop.ts';
import type { Flow } from './flow.ts';
import type { PacketHeaders } from './packet-headers.ts';
import { type PacketWatch, watchPackets } from './packet-watch.ts';
import type { Hop, Passage } from './passage.ts';
import { proveStop } from './prove-stop.ts';
import { isEnd, type Stop } from './stop.ts';

/** A question and its answer, as they were seen on a node. */
export interface Exchange {
  readonly outcome: Outcome;
  /** How the question came through the node; absent when it was never seen there. */
  readonly request?: Passage;
  /** Why it came no further; absent when it left the node. */
  readonly requestStop?: Stop;
  /** As it left the node, behind all NAT, and the index of the link. */
  readonly leftAs?: PacketHeaders;
  readonly oif?: number;
  /** The same of what answered it. */
  readonly answer?: Passage;
  readonly answerStop?: Stop;
  /** The namespace of who asks, or is asked, stopped one of them itself. */
  readonly innerStop?: Stop;
}

export interface Asked {
  /** Undefined for the namespace of this process. */
  readonly node: Namespace | undefined;
  /** Where the question is asked; it may be the node. */
  readonly asking: Namespace | undefined;
  /** Where it is answered, when that is a container of this node: what leaves the node may be stopped there. */
  readonly answering?: Namespace;
  readonly flow: Flow & { readonly target: Uint8Array };
  readonly attempt: Attempt;
  readonly atMostMs: number;
}

/**
 * Asks, and watches on the node what becomes of question and answer. Where nothing comes of it, it is asked once or twice
 * more, and shortly, for proof. Throws NetlinkError and SystemError.
 */
export function exchange(asked: Asked): Exchange {
  const { node, flow, attempt, atMostMs } = asked;
  using watch = watchPackets(node, flow);
  watch.add(answersTo(flow, flow.target, flow.targetPort));
  let outcome = attempt(Math.min(FIRST_MS, atMostMs));
  let passages = watch.passages(QUIET_MS);
  const requestOf = (): Passage | undefined => passages.find((passage) => isRequest(passage, flow));
  // What the node has stopped need not be waited for.
  if (outcome.kind === 'silent' && isOnItsWay(findStop(watch, node, requestOf()))) {
    const again = attempt(Math.max(1, atMostMs - outcome.ms));
    outcome = { ...again, ms: again.kind === 'answered' ? again.ms : again.ms + outcome.ms };
    passages = watch.passages(QUIET_MS);
  }
  const request = requestOf();
  const exit = request === undefined ? undefined : exitOf(request);
  if (outcome.kind === 'answered') return present<Exchange>({ outcome, request, ...left(exit) });
  const requestStop = stopped(watch, asked, request, (one) => isRequest(one, flow));
  const translated = exit?.left;
  const isTranslated = translated !== undefined && translated.target !== ipText(flow.target);
  if (requestStop === undefined && translated !== undefined && isTranslated) {
    watch.add(answersTo(flow, parseIp(translated.target) as Uint8Array, translated.targetPort));
    attempt(AGAIN_MS);
    passages = watch.passages(QUIET_MS, passages.length + 1);
  }
  const answer = passages.find((passage) => !isRequest(passage, flow));
  const answerStop =
    answer === undefined ? undefined : stopped(watch, asked, answer, (one) => !isRequest(one, flow));
  const leaves = requestStop === undefined ? left(exit) : {};
  const seen = present<Exchange>({ outcome, request, answer, answerStop, ...leaves });
  const suspect = suspectOf(asked, seen);
  const innerStop = suspect === undefined ? undefined : stopInside(suspect, attempt);
  return present<Exchange>({ ...seen, requestStop, innerStop });
}

/** A stop, and in whose namespace it was. */
export interface PlacedStop {
  readonly stop: Stop;
  readonly where: 'node' | 'container';
}

/** Where question and answer were stopped on their way, in the order in which they would be. */
export function stopsOf({ innerStop, requestStop, answerStop }: Exchange): PlacedStop[] {
  const onNode = [requestStop, answerStop].map((stop) => ({ stop, where: 'node' as const }));
  return [...onNode, { stop: innerStop, where: 'container' as const }].flatMap(({ stop, where }) =>
    stop === undefined || isEnd(stop) || stop.cause === 'not-seen' ? [] : [{ stop, where }],
  );
}

/** As long as an answer of a host nearby takes, by far. */
const FIRST_MS = 300;
/** How long a repetition waits that is only for proof. */
const AGAIN_MS = 150;
const QUIET_MS = 40;

function isOnItsWay(stop: Stop | undefined): boolean {
  return stop === undefined || stop.cause === 'delivered' || stop.cause === 'not-seen';
}

function answersTo(flow: Flow, source: Uint8Array, sourcePort: number | undefined): Flow {
  const { protocol, cookie, sourcePort: targetPort } = flow;
  if (protocol === 'icmp') return present<Flow>({ protocol, source, cookie });
  return present<Flow>({ protocol, source, sourcePort, targetPort });
}

function isRequest({ hops }: Passage, { source, sourcePort }: Flow): boolean {
  const headers = headersOf(hops[0]);
  return headers?.source === ipText(source) && headers.sourcePort === sourcePort;
}

const headersOf = (hop: Hop | undefined): PacketHeaders | undefined => hop?.came ?? hop?.left;

/** Where it left the node by IP, or else by a bridge. */
function exitOf({ hops }: Passage): Hop | undefined {
  const leaves = ({ hook, left }: Hop): boolean => hook === 'postrouting' && left !== undefined;
  return hops.findLast((hop) => hop.layer === 'ip' && leaves(hop)) ?? hops.findLast(leaves);
}

function left(exit: Hop | undefined): Pick<Exchange, 'leftAs' | 'oif'> {
  return present<Pick<Exchange, 'leftAs' | 'oif'>>({ leftAs: exit?.left, oif: exit?.oif });
}

function stopped(
  watch: PacketWatch,
  { node, flow, attempt }: Pick<Asked, 'node' | 'flow' | 'attempt'>,
  passage: Passage | undefined,
  isOf: (passage: Passage) => boolean,
): Stop | undefined {
  const stop = findStop(watch, node, passage);
  if (stop === undefined) return undefined;
  return proveStop(stop, flow.source.length === 4 ? 4 : 6, node, () => {
    const before = watch.passages(1).length;
    attempt(AGAIN_MS);
    return findStop(watch, node, watch.passages(QUIET_MS, before + 1).findLast(isOf));
  });
}

/** A container in whose own namespace a flow may have been stopped. */
interface Suspect {
  readonly namespace: Namespace | undefined;
  readonly flow: Asked['flow'];
}

/** Who asks, where the question did not come out of it or the answer did come to it; or who is asked, where nothing came back. */
function suspectOf(
  { node, asking, answering, flow }: Asked,
  { outcome, request, answer, answerStop, leftAs }: Exchange,
): Suspect | undefined {
  const isLostInside = request === undefined || (answer !== undefined && answerStop === undefined);
  if (asking !== node && outcome.kind !== 'refused' && (outcome.kind === 'forbidden' || isLostInside))
    return { namespace: asking, flow };
  const isUnanswered = outcome.kind === 'silent' && answer === undefined;
  if (!isUnanswered || answering === undefined || leftAs === undefined) return undefined;
  return { namespace: answering, flow: flowAs(leftAs, flow) };
}

/** By a watch in the container itself, which is there for this only. */
function stopInside({ namespace, flow }: Suspect, attempt: Attempt): Stop | undefined {
  using watch = watchPackets(namespace, flow);
  watch.add(answersTo(flow, flow.target, flow.targetPort));
  attempt(AGAIN_MS);
  for (const passage of watch.passages(QUIET_MS)) {
    const isAsking = isRequest(passage, flow);
    const inside = { node: namespace, flow, attempt };
    const stop = stopped(watch, inside, passage, (one) => isRequest(one, flow) === isAsking);
    if (stop !== undefined && !isEnd(stop)) return stop;
  }
  return undefined;
}

/** The flow as it came out of the node, behind all NAT. */
function flowAs(
  { source, target, sourcePort, targetPort }: PacketHeaders,
  flow: Asked['flow'],
): Asked['flow'] {
  const addresses = { source: parseIp(source) as Uint8Array, target: parseIp(target) as Uint8Array };
  return present<Asked['flow']>({ ...flow, ...addresses, sourcePort, targetPort });
}

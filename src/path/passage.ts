import type { ChainName } from '../kernel/nftables/chain.ts';
import { NF_DROP, type TraceEvent } from '../kernel/nftables/packet-trace.ts';
import { type PacketHeaders, packetHeaders } from './packet-headers.ts';
import { type HookName, type Post, postOf } from './watch-table.ts';

/** A hook that a packet came to. */
export interface Hop {
  readonly layer: Post['layer'];
  readonly hook: HookName;
  /** The packet as it came; absent where the first chain of all has dropped it. */
  readonly came?: PacketHeaders;
  /** The packet behind all chains of the hook, with what NAT has made of it; absent where it did not get there. */
  readonly left?: PacketHeaders;
  /** Indexes of the links in the namespace. */
  readonly iif?: number;
  readonly oif?: number;
}

/** What became of one packet in one namespace. */
export interface Passage {
  /** In the order of the packet's way; never empty. */
  readonly hops: readonly Hop[];
  /** The rule, or the chain's policy, that dropped it, or handed it to a program; never ours. */
  readonly decision?: Decision;
  /** We stopped it where it would have left. */
  readonly isContained: boolean;
}

export interface Decision extends ChainName {
  readonly kind: 'rule' | 'policy';
  /** Of a rule. */
  readonly handle?: number;
  readonly verdict: 'drop' | 'queue' | 'stolen';
}

/**
 * What a trace says of the packets that our table `name` has marked, in their order. Packets that others trace are left
 * out. One that is sent again is a packet of its own.
 */
export function passagesOf(events: readonly TraceEvent[], name: string): Passage[] {
  const passages: Draft[] = [];
  const marked = new Set<string>();
  /** What an event without headers is about: those of a chain's first event are for all of them. */
  const byId = new Map<number, PacketHeaders>();
  for (const event of events) {
    const headers = headersOf(event) ?? byId.get(event.id);
    if (headers === undefined) continue;
    byId.set(event.id, headers);
    const post = postOf(event, name);
    if (post !== undefined && event.kind === 'rule') marked.add(headers.identity);
    if (!marked.has(headers.identity)) continue;
    let draft = passages.findLast(({ identity }) => identity === headers.identity);
    if (draft === undefined || (isStart(post, event) && draft.has(post))) {
      draft = new Draft(headers.identity);
      passages.push(draft);
    }
    draft.take(event, headers, post);
  }
  return passages.filter(({ hops }) => hops.length > 0);
}

type MutableHop = { -readonly [K in keyof Hop]: Hop[K] };

class Draft implements Passage {
  readonly hops: MutableHop[] = [];
  decision?: Decision;
  isContained = false;

  constructor(readonly identity: string) {}

  has(post: Post): boolean {
    return this.#at(post)?.came !== undefined;
  }

  take(event: TraceEvent, headers: PacketHeaders, post: Post | undefined): void {
    const stopped = VERDICTS[event.verdict];
    if (post === undefined) {
      if (stopped === undefined || event.kind === 'return') delete this.decision;
      else this.decision = decisionOf(event, stopped);
      return;
    }
    // It goes on: a program has given it back.
    delete this.decision;
    const hop = this.#at(post) ?? this.#add(post);
    if (post.end === 'first') hop.came = headers;
    else hop.left = headers;
    if (event.iif !== undefined) hop.iif = event.iif;
    if (event.oif !== undefined) hop.oif = event.oif;
    if (event.verdict === NF_DROP) this.isContained = true;
  }

  #at({ layer, hook }: Post): MutableHop | undefined {
    return this.hops.find((hop) => hop.layer === layer && hop.hook === hook);
  }

  #add({ layer, hook }: Post): MutableHop {
    const hop: MutableHop = { layer, hook };
    this.hops.push(hop);
    return hop;
  }
}

/** Of what comes to a place where packets come from, and was there before, there is another one. */
function isStart(post: Post | undefined, { kind }: TraceEvent): post is Post {
  return post?.end === 'first' && kind === 'rule';
}

function headersOf({ network, transport }: TraceEvent): PacketHeaders | undefined {
  return network && transport && packetHeaders(network, transport);
}

function decisionOf(
  { family, table, chain, kind, handle }: TraceEvent,
  verdict: Decision['verdict'],
): Decision {
  const name = { family, table, chain };
  if (kind !== 'rule') return { ...name, kind: 'policy', verdict };
  return { ...name, kind, verdict, ...(handle === undefined ? {} : { handle }) };
}

/** NF_DROP, NF_STOLEN and NF_QUEUE of include/uapi/linux/netfilter.h: what ends a packet's way through a hook. */
const VERDICTS: Readonly<Record<number, Decision['verdict']>> = { 0: 'drop', 2: 'stolen', 3: 'queue' };

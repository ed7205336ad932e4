import type { Dropping } from './dropping.ts';
import type { MovedCounter } from './packet-watch.ts';
import type { HookName, Post } from './watch-table.ts';

/** Where a packet was seen last, and why it was not seen again. */
export interface Stop {
  readonly cause: StopCause;
  /** Absent where it was never seen: it did not come out of the container, or not to here. */
  readonly layer?: Post['layer'];
  readonly hook?: HookName;
  /** It was behind all chains of the hook: routing has stopped it, or what comes after that. */
  readonly isBehind?: boolean;
  /** It was the container's own namespace that stopped it, before it came to the node. */
  readonly isInside?: boolean;
  /** In a sentence without a full stop: `rule 12 of chain FORWARD in ip filter: ...`. */
  readonly text: string;
  /** Of `rule`, `policy` and `queue`: with the counter as it was after the packet. */
  readonly rule?: Dropping;
  /** What the kernel counted meanwhile that says so, too. */
  readonly counter?: MovedCounter;
  /** The settings that are the reason, with their values. */
  readonly sysctls?: readonly Sysctl[];
}

export type StopCause =
  /** A rule or a policy of nftables dropped it, or a rule gave it to a program that did not give it back. */
  | 'rule'
  | 'policy'
  | 'queue'
  /** Something dropped it in a hook that nftables does not report: iptables-legacy, IPVS, a hook of a module. */
  | 'unreported'
  /** ip_forward, or IPv6's forwarding, is off. */
  | 'forwarding-off'
  /** rp_filter: the way back to its source is another link than it came by. */
  | 'reverse-path'
  | 'no-route'
  /** The kernel believes that nobody can send from its source: the node has the address itself, mostly. */
  | 'martian-source'
  /** A route that refuses: blackhole, prohibit, unreachable. */
  | 'refusing-route'
  /** Longer than the MTU of the link that it should leave by. */
  | 'too-long'
  /** It was for this namespace itself, and came to its processes. */
  | 'delivered'
  /** It was never seen. */
  | 'not-seen'
  | 'unknown';

/** It came to where it was meant to go: a process of the namespace. */
export const isEnd = ({ cause }: Stop): boolean => cause === 'delivered';

export interface Sysctl {
  /** `net.ipv4.ip_forward` */
  readonly name: string;
  readonly value: string;
}

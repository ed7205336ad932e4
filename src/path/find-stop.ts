import { readFileSync } from 'node:fs';
import { openRouteSocket } from '../kernel/netlink/socket.ts';
import { currentNamespace, type Namespace, runIn } from '../kernel/netns.ts';
import { droppingText, lookAtDecision } from './dropping.ts';
import type { PacketWatch } from './packet-watch.ts';
import type { Hop, Passage } from './passage.ts';
import { routingStop } from './routing-stop.ts';
import type { Stop } from './stop.ts';

/**
 * Why a packet did not leave a namespace; undefined when it did, or was contained where it would have left. Without a passage
 * the packet was never seen. Throws NetlinkError and SystemError.
 */
export function findStop(
  watch: PacketWatch,
  namespace: Namespace | undefined,
  passage: Passage | undefined,
): Stop | undefined {
  if (passage === undefined)
    return { cause: 'not-seen', text: 'it never came to the first hook of the namespace' };
  const { decision } = passage;
  const last = lastOf(passage);
  if (last === undefined) return { cause: 'not-seen', text: 'it came to no hook' };
  const { layer, hook } = last;
  if (decision !== undefined) {
    const rule = lookAtDecision(watch.nftables, decision);
    const cause = decision.verdict === 'drop' ? decision.kind : 'queue';
    return { cause, layer, hook, text: droppingText(rule), rule };
  }
  if (last.left === undefined)
    return { cause: 'unreported', layer, hook, text: unreportedText(last, namespace) };
  if (hook === 'postrouting') return undefined;
  if (hook === 'input' && layer === 'ip')
    return { cause: 'delivered', layer, hook, isBehind: true, text: 'it was for the node itself' };
  const behind = { layer, hook, isBehind: true };
  if (layer === 'ip' && hook === 'prerouting') {
    const headers = last.left;
    return { ...behind, ...inside(namespace, () => lookAtRouting(watch, headers, last.iif)) };
  }
  return { ...behind, cause: 'unknown', text: `it was not seen again behind ${hook}` };
}

/** Hooks of IP lie inside those of a bridge: of those that it did not leave, the last that it came to is the innermost. */
function lastOf({ hops, isContained }: Passage): Hop | undefined {
  const open = hops.findLast(({ left }) => left === undefined);
  // Where we stop it for good, no hook of IP follows that a bridge calls behind its own.
  if (isContained && open === undefined) return hops.at(-1);
  const ip = hops.filter(({ layer }) => layer === 'ip');
  return open ?? ip.at(-1) ?? hops.at(-1);
}

function lookAtRouting(
  watch: PacketWatch,
  headers: NonNullable<Hop['left']>,
  iif: number | undefined,
): ReturnType<typeof routingStop> {
  const socket = openRouteSocket();
  try {
    return routingStop(socket, headers, iif, watch.movedCounters());
  } finally {
    socket.close();
  }
}

function unreportedText({ layer, hook, came }: Hop, namespace: Namespace | undefined): string {
  const family = came?.target.includes(':') ? 'ip6' : 'ip';
  const legacy = layer === 'bridge' ? '' : inside(namespace, () => legacyTables(family));
  const suspects =
    legacy === ''
      ? 'a module of the kernel that has a hook there (IPVS, for one)'
      : `iptables-legacy, which has the tables ${legacy}`;
  return `something that is not nftables dropped it in ${hook}: ${suspects}`;
}

/** Those of iptables that is no part of nftables. */
function legacyTables(family: 'ip' | 'ip6'): string {
  try {
    return readFileSync(`/proc/thread-self/net/${family}_tables_names`, 'utf8').trim().split('\n').join(', ');
  } catch {
    return '';
  }
}

function inside<T>(namespace: Namespace | undefined, look: () => T): T {
  const target = namespace ?? currentNamespace();
  try {
    return runIn(target, look as () => never);
  } finally {
    if (namespace === undefined) target.close();
  }
}

import { type ChainName, findChain } from '../kernel/nftables/chain.ts';
import type { Expression, ForeignExpression } from '../kernel/nftables/expression.ts';
import { xtablesComment } from '../kernel/nftables/foreign-text.ts';
import { findRule } from '../kernel/nftables/rule.ts';
import { ruleText } from '../kernel/nftables/rule-text.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import type { Decision } from './passage.ts';

/** The rule or policy that decided about a packet, as it stands in nftables now. */
export interface Dropping extends Decision {
  /** The rule as nft writes it, or `policy drop`. */
  readonly text: string;
  /** Of the rule: nft's, or that of iptables' `-m comment`. */
  readonly comment?: string;
  /** It is of iptables-legacy: `handle` is its number in the chain. */
  readonly isLegacy?: true;
  /** How many packets it has counted; absent where it counts none. */
  readonly packets?: number;
}

/** Looks at what decided; its text is `(gone)` when it is not there any more. Throws NetlinkError. */
export function lookAtDecision(nftables: Nftables, decision: Decision): Dropping {
  const { kind, handle } = decision;
  if (kind === 'policy' || handle === undefined) {
    const packets = findChain(nftables, decision)?.packets;
    return { ...decision, text: 'policy drop', ...(packets === undefined ? {} : { packets }) };
  }
  const rule = findRule(nftables, { ...decision, handle });
  if (rule === undefined) return { ...decision, text: '(gone)' };
  const comment = rule.comment ?? commentIn(rule.expressions);
  const packets = rule.expressions.find((one) => one.name === 'counter')?.packets;
  return {
    ...decision,
    text: ruleText(rule.expressions),
    ...(comment === undefined ? {} : { comment }),
    ...(packets === undefined ? {} : { packets }),
  };
}

/** `rule 12 of chain FORWARD in ip filter: ip saddr 10.1.0.5 drop`, `policy drop of chain FORWARD in ip filter` */
export function droppingText({ kind, handle, text, comment, ...name }: Dropping): string {
  const place = chainPlace(name);
  if (kind === 'policy') return `${text} of ${place}`;
  return `rule ${handle} of ${place}: ${text}${comment === undefined ? '' : ` (comment "${comment}")`}`;
}

/** `chain FORWARD in ip filter`, `chain FORWARD of iptables-legacy's table filter` */
export function chainPlace({
  family,
  table,
  chain,
  isLegacy,
}: ChainName & Pick<Dropping, 'isLegacy'>): string {
  if (!isLegacy) return `chain ${chain} in ${family} ${table}`;
  return `chain ${chain} of ${family === 'ip6' ? 'ip6tables' : 'iptables'}-legacy's table ${table}`;
}

function commentIn(expressions: readonly (Expression | ForeignExpression)[]): string | undefined {
  for (const one of expressions) {
    const comment = one.name === 'foreign' ? xtablesComment(one) : undefined;
    if (comment !== undefined) return comment;
  }
  return undefined;
}

import type { Batch } from '../kernel/nftables/batch.ts';
import { addChain, type Chain, type ChainName, chainText } from '../kernel/nftables/chain.ts';
import { type Expression, sameExpressions } from '../kernel/nftables/expression.ts';
import { addRule, flushChain } from '../kernel/nftables/rule.ts';
import type { TableRules } from './table-rules.ts';

/** A chain of ours, and all that is in it. */
export interface OwnedChain {
  readonly name: ChainName;
  readonly rules: readonly (readonly Expression[])[];
  readonly options: Pick<Chain, 'base' | 'comment'>;
}

/**
 * Makes a chain what it should be, and what it needs before it (`prerequisites`), unless it is that already. What a
 * reload of a firewall took away is there again with the next ADD; and where nothing is to be done, nothing is: after a
 * flush, the end of the process waits for all processors to have let go of the old rules, which takes 6 ms and more.
 */
export function writeChain(
  batch: Batch,
  present: TableRules,
  { name, rules, options }: OwnedChain,
  prerequisites: () => void = () => {},
): void {
  if (isWhole(present, name, rules)) return;
  prerequisites();
  addChain(batch, name, options);
  flushChain(batch, name);
  for (const rule of rules) addRule(batch, name, rule);
}

/** For CHECK: what is wrong with a chain of ours, in words; undefined when it has its rules and no others. */
export function chainComplaintOf(present: TableRules, { name, rules }: OwnedChain): string | undefined {
  return isWhole(present, name, rules)
    ? undefined
    : `chain ${chainText(name)} is missing, or has not its rules`;
}

function isWhole(present: TableRules, name: ChainName, rules: OwnedChain['rules']): boolean {
  const found = present.of(name);
  return (
    found.length === rules.length &&
    found.every(({ expressions }, index) => sameExpressions(expressions, rules[index] ?? []))
  );
}

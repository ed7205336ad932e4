import { deleteRule, listTableRules, type Rule } from '../../kernel/nftables/rule.ts';
import { ruleText } from '../../kernel/nftables/rule-text.ts';
import { removeReferenceSpoofCheckChains } from '../../network/reference-leftovers.ts';
import { Ruleset } from '../../network/ruleset.ts';
import type { LastLook } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { Survey } from '../survey.ts';

/** A rule that the reference made, and for whom; names are empty where it does not say them. */
export interface ReferenceRule {
  readonly rule: Rule;
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
}

/** Answers which rules of the reference nobody needs, as the node is in this survey. */
export type OrphanedRules = (survey: Survey) => readonly ReferenceRule[];

/** Removes rules of the reference's, in its own tables of nftables: a rule has its handle for itself for ever. */
export function removeReferenceRules(rules: readonly ReferenceRule[], orphaned: OrphanedRules): Mend {
  return { difference: rules.map(lineOf), apply: ({ look }) => remove(rules, look(), orphaned) };
}

function remove(rules: readonly ReferenceRule[], look: LastLook, orphaned: OrphanedRules): Mended {
  const account = new MendAccount();
  const again = new Set(orphaned(look.survey).map(({ rule }) => keyOf(rule)));
  const going = rules.filter((one) => {
    const reason = reasonToKeep(one, look, again);
    if (reason !== undefined) account.leave(lineOf(one), reason);
    return reason === undefined;
  });
  const ruleset = new Ruleset();
  try {
    ruleset.plan({
      careful: true,
      write(batch, { nftables }) {
        const tables = new Map(
          going.map(({ rule: { family, table } }) => [`${family} ${table}`, { family, table }]),
        );
        const there = new Set(
          [...tables.values()].flatMap((table) => listTableRules(nftables, table)).map(keyOf),
        );
        for (const { rule } of going) if (there.has(keyOf(rule))) deleteRule(batch, rule);
      },
      after(nftables) {
        for (const one of going)
          if (one.rule.family === 'bridge') removeReferenceSpoofCheckChains(nftables, one);
      },
    });
    ruleset.commit();
  } finally {
    ruleset.close();
  }
  for (const one of going) account.tick(lineOf(one));
  return account;
}

function reasonToKeep(
  { rule, network, containerID, ifName }: ReferenceRule,
  look: LastLook,
  again: ReadonlySet<string>,
): string | undefined {
  const whose = { network: network || undefined, containerID, ifName: ifName || undefined };
  return look.reasonToKeep(whose, []) ?? (again.has(keyOf(rule)) ? undefined : 'somebody has it');
}

function keyOf({ family, table, chain, handle }: Rule): string {
  return `${family} ${table} ${chain} ${handle}`;
}

function lineOf({ rule, containerID }: ReferenceRule): string {
  const { family, table, chain, expressions, handle } = rule;
  return `- rule of ${containerID} in ${family} ${table} ${chain}: ${ruleText(expressions)} # handle ${handle}`;
}

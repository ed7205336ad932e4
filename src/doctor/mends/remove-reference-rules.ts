import { deleteRule, listTableRules, type Rule } from '../../kernel/nftables/rule.ts';
import { ruleText } from '../../kernel/nftables/rule-text.ts';
import type { Nftables } from '../../kernel/nftables/socket.ts';
import { removeReferenceSpoofCheckChains } from '../../network/reference-leftovers.ts';
import { Ruleset } from '../../network/ruleset.ts';
import { ComeBackSince } from '../come-back-since.ts';
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

/**
 * Removes rules of the reference's, in its own tables of nftables. Whether the owner has come back is asked in the moment in
 * which they go: an ADD of the reference replaces what it finds of its container, and fails where that is gone meanwhile.
 */
export function removeReferenceRules(rules: readonly ReferenceRule[], orphaned: OrphanedRules): Mend {
  return { difference: rules.map(lineOf), apply: ({ look }) => remove(rules, look(), orphaned) };
}

function remove(rules: readonly ReferenceRule[], look: LastLook, orphaned: OrphanedRules): Mended {
  const account = new MendAccount();
  const again = new Set(orphaned(look.survey).map(({ rule }) => keyOf(rule)));
  const reasons = new Map(rules.map((one) => [one, reasonToKeep(one, look, again)]));
  const left = new Map<ReferenceRule, string>();
  let going: ReferenceRule[] = [];
  const ruleset = new Ruleset();
  try {
    ruleset.plan({
      careful: true,
      write(batch, { nftables }) {
        const since = new ComeBackSince(look.survey);
        left.clear();
        const there = thereOf(rules, nftables);
        going = there.filter((one) => {
          const reason = reasons.get(one) ?? since.reason(one);
          if (reason !== undefined) left.set(one, reason);
          return reason === undefined;
        });
        for (const { rule } of going) deleteRule(batch, rule);
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
  for (const one of rules) {
    const reason = left.get(one);
    if (reason === undefined) account.tick(lineOf(one));
    else account.leave(lineOf(one), reason);
  }
  return account;
}

function thereOf(rules: readonly ReferenceRule[], nftables: Nftables): ReferenceRule[] {
  const tables = new Map(
    rules.map(({ rule: { family, table } }) => [`${family} ${table}`, { family, table }]),
  );
  const there = new Set([...tables.values()].flatMap((table) => listTableRules(nftables, table)).map(keyOf));
  return rules.filter(({ rule }) => there.has(keyOf(rule)));
}

function reasonToKeep(
  { rule, network, containerID, ifName }: ReferenceRule,
  look: LastLook,
  again: ReadonlySet<string>,
): string | undefined {
  const whose = { network: network || undefined, containerID, ifName: ifName || undefined };
  return look.reasonToKeep(whose, []) ?? (again.has(keyOf(rule)) ? undefined : 'somebody has it');
}

/** With what it does: a table that is made anew counts its handles from the beginning. */
function keyOf({ family, table, chain, handle, comment, expressions }: Rule): string {
  return `${family} ${table} ${chain} ${handle} ${comment} ${ruleText(expressions)}`;
}

function lineOf({ rule, containerID }: ReferenceRule): string {
  const { family, table, chain, expressions, handle } = rule;
  return `- rule of ${containerID} in ${family} ${table} ${chain}: ${ruleText(expressions)} # handle ${handle}`;
}

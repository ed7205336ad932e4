import { elementText } from '../../kernel/nftables/element.ts';
import { setText } from '../../kernel/nftables/set.ts';
import { ownerNames, parseOwner } from '../../network/attachment.ts';
import type { FoundElement } from '../../network/owned-element.ts';
import { planPruning } from '../../network/pruning.ts';
import { Ruleset } from '../../network/ruleset.ts';
import { ComeBackSince } from '../come-back-since.ts';
import { addressesOfElement } from '../facts/element-addresses.ts';
import type { LastLook } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import type { Survey } from '../survey.ts';

/** Answers which elements of ours nobody needs, as the node is in this survey. */
export type OrphanedElements = (survey: Survey) => readonly FoundElement[];

/**
 * Removes elements of our sets that are left of containers that are gone. By key and owner: the key may be another's by
 * then. Whether the owner has come back is asked in the moment in which it goes.
 */
export function removeElements(elements: readonly FoundElement[], orphaned: OrphanedElements): Mend {
  return { difference: elements.map(lineOf), apply: ({ look }) => remove(elements, look(), orphaned) };
}

function remove(elements: readonly FoundElement[], look: LastLook, orphaned: OrphanedElements): Mended {
  const again = new Set(orphaned(look.survey).map(lineOf));
  const reasons = new Map(elements.map((found) => [lineOf(found), reasonToKeep(found, look, again)]));
  const ruleset = new Ruleset();
  const left = new Map<string, string>();
  try {
    planPruning(ruleset, (all) => {
      left.clear();
      const since = new ComeBackSince(look.survey);
      return all.filter((found) => {
        const line = lineOf(found);
        if (!reasons.has(line)) return false;
        const reason = reasons.get(line) ?? since.reason(ownerOf(found), hashOf(found));
        if (reason !== undefined) left.set(line, reason);
        return reason === undefined;
      });
    });
    ruleset.commit();
  } finally {
    ruleset.close();
  }
  const account = new MendAccount();
  for (const line of reasons.keys()) {
    const reason = left.get(line);
    if (reason === undefined) account.tick(line);
    else account.leave(line, reason);
  }
  return account;
}

function reasonToKeep(found: FoundElement, look: LastLook, again: ReadonlySet<string>): string | undefined {
  const { containerID, ifName } = ownerOf(found);
  const hash = hashOf(found);
  return (
    look.reasonToKeep({ containerID, ifName, hash }, addressesOfElement(found)) ??
    (again.has(lineOf(found)) ? undefined : 'somebody has it')
  );
}

function hashOf({ element }: FoundElement): string | undefined {
  return parseOwner(element.comment ?? '')?.ownerHash;
}

function ownerOf({ element }: FoundElement) {
  return ownerNames(element.comment ?? '');
}

/** Says key and owner: another's element is another line. */
function lineOf({ set, element }: FoundElement): string {
  return `- ${elementText(set, element)} of ${setText(set)}, comment "${element.comment ?? ''}"`;
}

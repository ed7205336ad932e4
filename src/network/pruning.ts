import { listElements } from '../kernel/nftables/element.ts';
import { ALL_HOST_PORT_SETS } from './host-port-rules.ts';
import { MASQUERADE_MAPS, removeUnusedSubnets } from './masquerade.ts';
import type { FoundElement } from './owned-element.ts';
import { planElementRemoval } from './owned-removal.ts';
import type { Ruleset } from './ruleset.ts';
import { SPOOF_CHECK_SETS } from './spoof-check.ts';

/**
 * Plans to remove elements of ours, of whatever networks: those that `choose` picks from all that there are in the same
 * transaction. `commit` fills the list.
 */
export function planPruning(
  ruleset: Ruleset,
  choose: (elements: readonly FoundElement[]) => FoundElement[],
): readonly FoundElement[] {
  const sets = [...MASQUERADE_MAPS, ...ALL_HOST_PORT_SETS, ...SPOOF_CHECK_SETS];
  return planElementRemoval(
    ruleset,
    (nftables) =>
      choose(sets.flatMap((set) => listElements(nftables, set).map((element) => ({ set, element })))),
    removeUnusedSubnets,
  );
}

import { fieldsText } from '../kernel/nftables/data-type.ts';
import { deleteElements } from '../kernel/nftables/element.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import type { FoundElement } from './owned-element.ts';
import type { Ruleset } from './ruleset.ts';

/**
 * Plans to remove the elements that `choose` picks from sets of ours, by a look at their owners in the same
 * transaction. `after` is called when they are gone, with those that were there. `commit` fills the list.
 */
export function planElementRemoval(
  ruleset: Ruleset,
  choose: (nftables: Nftables) => FoundElement[],
  after?: (nftables: Nftables, removed: readonly FoundElement[]) => void,
): readonly FoundElement[] {
  const removed: FoundElement[] = [];
  ruleset.plan({
    careful: true,
    write(batch, { nftables }) {
      // It is another look when others changed the sets in the meantime.
      removed.length = 0;
      for (const found of once(choose(nftables))) removed.push(found);
      for (const set of new Set(removed.map((found) => found.set))) {
        const keys = removed.filter((found) => found.set === set).map(({ element }) => element.key);
        deleteElements(batch, set, keys);
      }
    },
    after: (nftables) => after?.(nftables, removed),
  });
  return removed;
}

/** The kernel may list an element twice while it makes room in the set for more, and would not delete it twice. */
function once(elements: readonly FoundElement[]): Iterable<FoundElement> {
  return new Map(
    elements.map((found) => [`${found.set.set} ${fieldsText(found.set.key, found.element.key)}`, found]),
  ).values();
}

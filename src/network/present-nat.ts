import { chainText } from '../kernel/nftables/chain.ts';
import { type Fields, fieldsText } from '../kernel/nftables/data-type.ts';
import { type Element, findElement, listElements } from '../kernel/nftables/element.ts';
import { type SetType, setText } from '../kernel/nftables/set.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { chainComplaintOf, type OwnedChain } from './owned-chain.ts';
import { TableRules } from './table-rules.ts';

/** What is in nftables, to be compared with what should be. Throws NetlinkError. */
export interface PresentNat {
  /** What is wrong with a chain of ours, in words. */
  complaintOf(chain: OwnedChain): string | undefined;
  find(set: SetType, key: Fields): Element | undefined;
}

/** For one attachment: each element is asked for. */
export function presentNat(nftables: Nftables): PresentNat {
  const rules = new TableRules(nftables);
  return {
    complaintOf: (chain) => chainComplaintOf(rules, chain),
    find: (set, key) => findElement(nftables, set, key),
  };
}

/** For many: each set is listed once, and each chain compared once, when it is first asked about. */
export function listedNat(nftables: Nftables): PresentNat {
  const listed = new Map<string, Map<string, Element>>();
  const elementsOf = (set: SetType): Map<string, Element> => {
    const name = setText(set);
    const known = listed.get(name);
    if (known !== undefined) return known;
    const elements = listElements(nftables, set);
    const byKey = new Map(elements.map((element) => [fieldsText(set.key, element.key), element]));
    listed.set(name, byKey);
    return byKey;
  };
  const rules = new TableRules(nftables);
  const complaints = new Map<string, string | undefined>();
  return {
    complaintOf(chain) {
      // A name of ours says all that is in it.
      const name = chainText(chain.name);
      if (!complaints.has(name)) complaints.set(name, chainComplaintOf(rules, chain));
      return complaints.get(name);
    },
    find: (set, key) => elementsOf(set).get(fieldsText(set.key, key)),
  };
}

import { namespaceContents } from './namespace-contents.ts';
import type { Survey } from './survey.ts';

/** An interface that has an address. */
export interface AddressHolder {
  /** A path to its namespace. */
  readonly netns: string;
  /** `device:inode` of that. */
  readonly id: string;
  readonly link: string;
}

/** RT_SCOPE_UNIVERSE of include/uapi/linux/rtnetlink.h: what is for others to reach. */
const RT_SCOPE_UNIVERSE = 0;

/**
 * Who has an address, in every namespace of this node but its own: what no cache knows is seen here. Throws Unseen when
 * the namespaces of the node cannot be looked for; of one that cannot be entered that is said.
 */
export function addressHolders(survey: Survey): ReadonlyMap<string, readonly AddressHolder[]> {
  return survey.once('address holders', 'addresses in namespaces', () => {
    const holders = new Map<string, AddressHolder[]>();
    for (const { namespace, contents } of namespaceContents(survey)) {
      const { links, addresses } = contents;
      for (const { address, index, scope } of addresses) {
        if (scope !== RT_SCOPE_UNIVERSE) continue;
        const link = links.find((one) => one.index === index)?.name ?? `link ${index}`;
        const holder = { netns: namespace.path, id: namespace.id, link };
        holders.set(address, [...(holders.get(address) ?? []), holder]);
      }
    }
    return holders;
  });
}

import type { Survey } from '../survey.ts';
import { insideAll } from './inside-all.ts';

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
    const found = insideAll(survey).map(({ namespace: { id, path }, contents: { links, addresses } }) =>
      addresses
        .filter(({ scope }) => scope === RT_SCOPE_UNIVERSE)
        .map(({ address, index }) => {
          const link = links.find((one) => one.index === index)?.name ?? `link ${index}`;
          return { address, holder: { netns: path, id, link } };
        }),
    );
    const holders = new Map<string, AddressHolder[]>();
    for (const { address, holder } of found.flat())
      holders.set(address, [...(holders.get(address) ?? []), holder]);
    return holders;
  });
}

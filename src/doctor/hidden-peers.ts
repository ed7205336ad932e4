import type { Link } from '../kernel/netlink/link.ts';
import type { Route } from '../kernel/netlink/route.ts';
import { contentsHere, leadsHere } from '../node/contents.ts';
import { insideAll } from './inside-all.ts';
import type { Survey } from './survey.ts';

/**
 * The node's ends of veth pairs whose other end is in none of the namespaces that can be seen: it is somewhere, or the
 * kernel would have removed both. From inside a container that has its own processes and mounts, most of the node's
 * namespaces cannot be seen, and nothing of theirs may be taken for garbage. Throws Unseen as `insideAll`.
 */
export function hiddenPeers(survey: Survey): readonly Link[] {
  return survey.once('hidden peers', 'the other ends of veth pairs', () => {
    const { links, routes } = survey.host();
    const ends = endsAway(links).filter((end) => !isUplink(end, routes));
    const pairs = new Set(
      insideAll(survey).flatMap(({ contents }) =>
        contents.links
          .filter((link) => isVeth(link) && leadsHere(link, contents))
          .map(({ index, link }) => pairOf(link, index)),
      ),
    );
    const hidden = ends.filter(({ index, link }) => !pairs.has(pairOf(index, link)));
    if (hidden.length === 0) return hidden;
    // With the namespace that has gone away meanwhile the pair has, too.
    const now = endsAway(contentsHere().links);
    return hidden.filter((end) => now.some(({ index, link }) => index === end.index && link === end.link));
  });
}

function endsAway(links: readonly Link[]): Link[] {
  return links.filter((link) => isVeth(link) && link.linkNetnsid !== undefined);
}

/** A node that is a container itself, as with kind, has such an end for its own way out: no container of its own does. */
function isUplink({ index, master }: Link, routes: readonly Route[]): boolean {
  if (master !== undefined) return false;
  return routes.some(
    ({ dst, oif, table, nextHops = [] }) =>
      dst.endsWith('/0') &&
      table === RT_TABLE_MAIN &&
      [oif, ...nextHops.map((hop) => hop.oif)].includes(index),
  );
}

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;

function isVeth({ kind }: Link): boolean {
  return kind === 'veth';
}

/** Index here, and index there. */
function pairOf(here: number | undefined, there: number | undefined): string {
  return `${here} ${there}`;
}

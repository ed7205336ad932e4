import type { Link } from '../../kernel/netlink/link.ts';
import type { Route } from '../../kernel/netlink/route.ts';
import { ownerHash, parseOwner } from '../../network/attachment.ts';
import { contentsHere, leadsHere } from '../../node/contents.ts';
import type { Survey } from '../survey.ts';
import { Unseen } from '../unseen.ts';
import { insideAll } from './inside-all.ts';
import { isOurs } from './node-ports.ts';

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
    return stillThere(hidden);
  });
}

/** With a namespace that has gone away its pairs go, too; but the kernel takes its time. */
function stillThere(hidden: readonly Link[]): readonly Link[] {
  let left = hidden;
  for (const until = performance.now() + goingMs; left.length > 0 && performance.now() < until; ) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, goingMs / 20);
    const now = endsAway(contentsHere().links);
    left = left.filter((end) => now.some(({ index, link }) => index === end.index && link === end.link));
  }
  return left;
}

/** On a machine that has a lot to do. */
const goingMs = 500;

/** Whether one of these may be of that owner: a veth of ours says whose it is, and is nothing to anybody else. */
export function mayBeOf(link: Link, hash: string | undefined): boolean {
  return !isOurs(link) || hash === undefined || parseOwner(link.alias ?? '')?.ownerHash === hash;
}

/** Whether a container that seems to be gone may be where it is not seen; that there is such a place is said. */
export function isOutOfSight(survey: Survey, { network, containerID, ifName }: Whose): boolean {
  const hidden = hiddenPeers(survey);
  const hash = ifName === undefined ? undefined : ownerHash({ network, containerID, ifName });
  if (!hidden.some((link) => mayBeOf(link, hash))) return false;
  const reason = `the other ends of veth pairs are where they cannot be seen from here, as that of ${hidden[0]?.name}: run it on the node itself, where all of its processes can be seen`;
  survey.overlook(new Unseen('containers', reason));
  return true;
}

interface Whose {
  readonly network: string;
  readonly containerID: string;
  readonly ifName?: string | undefined;
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

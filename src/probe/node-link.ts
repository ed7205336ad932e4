import type { ProbeRun } from './probe-run.ts';

/**
 * The link of the node that packets of a container's interface come by, to IP: the bridge that the other end of its veth is a port of,
 * or that end itself; `LINK` where it is not on this node.
 */
export function nodeLink(
  { inside, outside, subject }: ProbeRun,
  ifName = subject.interfaces[0]?.ifName,
): string {
  const own = inside.links.find(({ name }) => name === ifName);
  const end = outside.links.find(
    ({ index, link, kind }) =>
      own?.kind === 'veth' && kind === 'veth' && index === own.link && link === own.index,
  );
  return (outside.links.find(({ index }) => index === end?.master) ?? end)?.name ?? 'LINK';
}

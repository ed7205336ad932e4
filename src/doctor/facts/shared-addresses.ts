import type { Address } from '../../kernel/netlink/address.ts';
import type { Link } from '../../kernel/netlink/link.ts';
import { leadsHere } from '../../node/contents.ts';
import { identity } from '../../runtime/find-namespace.ts';
import { grouped } from '../grouped.ts';
import type { Survey } from '../survey.ts';
import { insideAll } from './inside-all.ts';
import { containerText } from './made-attachments.ts';

/** Somebody who answers for an address. */
export interface Sharer {
  /** `container web eth0`, or where it is. */
  readonly who: string;
  /** Undefined for the node itself. */
  readonly netns: string | undefined;
  readonly link: string;
  /** With its prefix length. */
  readonly address: string;
}

/** An address that more than one answers for, where frames of each reach the other. */
export interface SharedAddress {
  readonly address: string;
  /** `bridge br-lab`, `link eth0`. */
  readonly segment: string;
  readonly sharers: readonly Sharer[];
}

/**
 * The addresses that several namespaces, or a namespace and the node, have on one bridge or one link. Not on a bridge with
 * VLANs, which may be so many networks.
 */
export function sharedAddresses(survey: Survey): readonly SharedAddress[] {
  return survey.once('shared addresses', 'addresses in namespaces', () => {
    const host = survey.host();
    const byIndex = new Map(host.links.map((link) => [link.index, link]));
    const owners = namesOfOwners(survey);
    const found = insideAll(survey).flatMap(({ namespace: { id, path }, contents }) =>
      contents.addresses.flatMap((address) => {
        const link = contents.links.find(({ index }) => index === address.index);
        const segment =
          link && isUsable(link, address) && leadsHere(link, contents) ? segmentOf(link, byIndex) : undefined;
        if (link === undefined || segment === undefined) return [];
        const who = owners.get(`${id} ${link.name}`) ?? `"${link.name}" in ${path}`;
        return [{ segment, sharer: sharerOf(address, link, who, path) }];
      }),
    );
    const own = host.addresses.flatMap((address) => {
      const link = byIndex.get(address.index);
      if (link?.kind !== 'bridge' || !isUsable(link, address)) return [];
      return [
        { segment: `bridge ${link.name}`, sharer: sharerOf(address, link, 'the node itself', undefined) },
      ];
    });
    const groups = grouped([...found, ...own], ({ segment, sharer }) => `${segment} ${bare(sharer.address)}`);
    return [...groups.values()].flatMap((group) => {
      const sharers = group.map(({ sharer }) => sharer);
      const [first] = group;
      // One namespace may have an address twice, with two lengths of the prefix.
      if (first === undefined || new Set(sharers.map(({ netns }) => netns)).size < 2) return [];
      return [{ address: bare(first.sharer.address), segment: first.segment, sharers }];
    });
  });
}

function bare(address: string): string {
  return address.split('/')[0] ?? '';
}

function isUsable({ up }: Link, { scope }: Address): boolean {
  return up && scope === RT_SCOPE_UNIVERSE;
}

/** RT_SCOPE_UNIVERSE of include/uapi/linux/rtnetlink.h */
const RT_SCOPE_UNIVERSE = 0;

/** What carries its frames in the node. */
function segmentOf(inside: Link, byIndex: ReadonlyMap<number, Link>): string | undefined {
  const outside = inside.link === undefined ? undefined : byIndex.get(inside.link);
  if (outside === undefined) return undefined;
  if (inside.kind === 'macvlan' || inside.kind === 'ipvlan') return `link ${outside.name}`;
  if (inside.kind !== 'veth' || outside.kind !== 'veth' || outside.link !== inside.index) return undefined;
  const master = outside.master === undefined ? undefined : byIndex.get(outside.master);
  return master?.kind === 'bridge' && !master.vlanFiltering ? `bridge ${master.name}` : undefined;
}

function sharerOf(address: Address, { name }: Link, who: string, netns: string | undefined): Sharer {
  return { who, netns, link: name, address: `${address.address}/${address.prefixLength}` };
}

/** By namespace and interface. */
function namesOfOwners(survey: Survey): ReadonlyMap<string, string> {
  return new Map(
    survey
      .attachments()
      .filter(({ netns }) => netns !== '')
      .map((one) => [`${identity(one.netns)} ${one.ifName}`, containerText(one)]),
  );
}

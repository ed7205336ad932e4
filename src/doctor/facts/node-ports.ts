import { statSync } from 'node:fs';
import type { Link } from '../../kernel/netlink/link.ts';
import { parseOwner } from '../../network/attachment.ts';
import { leadsHere } from '../../node/contents.ts';
import type { KnownNamespace } from '../../node/every-namespace.ts';
import type { Survey } from '../survey.ts';
import { insideAll } from './inside-all.ts';

/** The other end of a veth of the node. */
export interface OtherEnd {
  readonly link: Link;
  /** Undefined for the node's own namespace. */
  readonly namespace: KnownNamespace | undefined;
  readonly hasAddress: boolean;
}

/** A veth that is ours, by its name and its alias. */
export function isOurs({ kind, name, alias = '' }: Link): boolean {
  const owner = parseOwner(alias);
  return kind === 'veth' && owner !== undefined && name === `veth${owner.ownerHash.slice(0, 11)}`;
}

/** Undefined where no namespace that is known has it. */
export function otherEndOf(survey: Survey, veth: Link): OtherEnd | undefined {
  if (veth.linkNetnsid === undefined) {
    const { links, addresses } = survey.host();
    const link = links.find(({ index }) => index === veth.link);
    const hasAddress = addresses.some(({ index, scope }) => index === veth.link && scope === 0);
    return link && { link, namespace: undefined, hasAddress };
  }
  return endsByPeer(survey)
    .get(veth.index)
    ?.find(({ link }) => link.index === veth.link);
}

/** Whether the namespace is so old that nobody can be about to set it up; of one that no mount keeps that is not known. */
export function isOld(survey: Survey, { path, mounts }: KnownNamespace): boolean {
  // The inode of a namespace is as old as the mount that keeps it.
  const since = mounts.length === 0 ? undefined : statSync(path, { throwIfNoEntry: false })?.mtime;
  return since !== undefined && survey.isSettled(since);
}

/** By the index that the other end has in the node. */
function endsByPeer(survey: Survey): ReadonlyMap<number, readonly OtherEnd[]> {
  return survey.once('veth ends', 'network namespaces', () => {
    const ends = new Map<number, OtherEnd[]>();
    for (const { namespace, contents } of insideAll(survey)) {
      for (const link of contents.links) {
        if (link.kind !== 'veth' || link.link === undefined || !leadsHere(link, contents)) continue;
        const hasAddress = contents.addresses.some(({ index, scope }) => index === link.index && scope === 0);
        ends.set(link.link, [...(ends.get(link.link) ?? []), { link, namespace, hasAddress }]);
      }
    }
    return ends;
  });
}

import { isObject } from '../../cni/json.ts';
import type { Link } from '../../kernel/netlink/link.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { ownerHash, ownerNames, parseOwner } from '../../network/attachment.ts';
import { isPartial } from '../facts/inside-all.ts';
import { concernsHash, knownHashes, reasonsFor } from '../facts/known-owners.ts';
import { configuredNetworks } from '../facts/made-attachments.ts';
import { isOld, isOurs, type OtherEnd, otherEndOf } from '../facts/node-ports.ts';
import { grouped } from '../grouped.ts';
import { removePorts } from '../mends/remove-ports.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';

export const orphanedVeth: Rule = {
  id: 'D020',
  name: 'orphaned-veth',
  severity: 'warning',
  summary: 'Interfaces of the node are left of containers that are gone.',
  meaning: 'bridges flood them with every broadcast; a container that comes back under its ID cannot start',
  async find(survey) {
    const orphans = await foundTwice(survey, orphanedVeths, ({ link }) => `${link.name} ${link.index}`);
    return [...grouped(orphans, objectOf)].map(([object, veths]) => found(object, veths));
  },
};

/** A veth of the node that nobody needs any more, and what is known of its other end. */
export interface OrphanedVeth {
  readonly link: Link;
  /** The bridge that it is a port of. */
  readonly bridge: string | undefined;
  readonly end: OtherEnd;
}

/**
 * Ours, by name and alias, and the reference's, by its kind of name on the bridge of a network: that no attachment is
 * known for, and whose other end is down and has no address. None where not every namespace can be looked into. To be asked a second time before anything is done about it.
 */
export function orphanedVeths(survey: Survey): OrphanedVeth[] {
  const { links } = survey.host();
  const nameOf = new Map(links.map(({ index, name }) => [index, name]));
  const candidates = links.flatMap((link) => {
    if (link.kind !== 'veth') return [];
    const bridge = link.master === undefined ? undefined : nameOf.get(link.master);
    return isCandidate(survey, link, bridge) ? [{ link, bridge }] : [];
  });
  if (candidates.length === 0 || isPartial(survey)) return [];
  return candidates.flatMap((candidate) => {
    const end = otherEndOf(survey, candidate.link);
    return end !== undefined && isUseless(survey, end) ? [{ ...candidate, end }] : [];
  });
}

function isCandidate(survey: Survey, link: Link, bridge: string | undefined): boolean {
  if (isOurs(link)) {
    const owner = parseOwner(link.alias ?? '');
    if (owner === undefined || !concernsHash(survey, owner.networkHash)) return false;
    return !knownHashes(survey).has(owner.ownerHash);
  }
  if (bridge === undefined || link.alias !== undefined || !ofReference.test(link.name)) return false;
  return bridges(survey).has(bridge) && !knownPorts(survey).has(link.name);
}

/** RandomVethName of containernetworking/plugins, pkg/ip/link_linux.go: four bytes. */
const ofReference = /^veth[0-9a-f]{1,8}$/;

/**
 * An end that is up, or has an address, is somebody's, whoever that is; and one in a young namespace soon will be. One that
 * is not seen is somewhere, or the kernel would have removed both.
 */
function isUseless(survey: Survey, end: OtherEnd): boolean {
  if (end.link.up || end.hasAddress || end.link.master !== undefined) return false;
  return end.namespace === undefined || isOld(survey, end.namespace);
}

/** Those of the networks that have a file. */
function bridges(survey: Survey): ReadonlySet<string> {
  const plugins = configuredNetworks(survey).flatMap(({ plugins }) => plugins);
  return new Set(
    plugins.flatMap(({ type, document }) => survey.settings.facts.bridge(type, document)?.bridge ?? []),
  );
}

/** What the cached results of containers name that are there. */
function knownPorts(survey: Survey): ReadonlySet<string> {
  return survey.once('known ports', 'attachments', () => {
    const owners = knownHashes(survey);
    const entries = survey.cache().entries.filter(({ attachment }) => owners.has(ownerHash(attachment)));
    const interfaces = entries.flatMap(({ attachment: { result } }) => result?.interfaces ?? []);
    return new Set(interfaces.flatMap((one) => (isObject(one) ? String(one.name) : [])));
  });
}

function objectOf({ link, bridge }: OrphanedVeth): string {
  return isOurs(link) ? `network ${ownerNames(link.alias ?? '').network}` : `bridge ${bridge}`;
}

function found(object: string, veths: readonly OrphanedVeth[]): Draft {
  // Who made the others is only a guess.
  const own = veths.map(({ link }) => link).filter(isOurs);
  const owners = veths.flatMap(({ link }) => (isOurs(link) ? [ownerNames(link.alias ?? '')] : []));
  const network = object.startsWith('network ') ? object.slice('network '.length) : undefined;
  return {
    object,
    cause: `${veths.length} veth${veths.length === 1 ? ' is' : 's are'} left of containers that are gone`,
    evidence: veths.slice(0, mostShown).flatMap(({ link, end }) => [
      { source: `ip -details link show ${shellWord(link.name)}`, text: link.alias ?? `a port of ${object}` },
      { source: 'its other end', text: endText(end) },
    ]),
    fix: [
      ...(own.length > 0 ? ['cni-debug doctor --fix'] : []),
      ...(veths.length <= mostShown
        ? veths.map(({ link }) => `ip link delete ${shellWord(link.name)}`)
        : [`cni-debug gc ${shellWord(network ?? '')}`]),
    ],
    follows: reasonsFor(owners),
    ...(own.length > 0 ? { mend: removePorts(own, orphanedVeths) } : {}),
  };
}

const mostShown = 3;

function endText({ link, namespace }: OtherEnd): string {
  const where = namespace === undefined ? 'in the node itself' : `in ${namespace.path}`;
  return `"${link.name}" ${where}, down and without an address`;
}

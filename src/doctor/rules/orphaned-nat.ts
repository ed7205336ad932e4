import { interfaceName } from '../../kernel/nftables/data-type.ts';
import { elementText } from '../../kernel/nftables/element.ts';
import { setText } from '../../kernel/nftables/set.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { ownerNames, parseOwner } from '../../network/attachment.ts';
import { iptablesHostPorts, iptablesLeftovers } from '../../network/iptables-leftovers.ts';
import type { FoundElement } from '../../network/owned-element.ts';
import { Ruleset } from '../../network/ruleset.ts';
import { addressesOfElement } from '../facts/element-addresses.ts';
import { isPartial } from '../facts/inside-all.ts';
import { concernsHash, isHeld, knownHashes, reasonsFor } from '../facts/known-owners.ts';
import { ownElements } from '../facts/nftables.ts';
import { isOurs } from '../facts/node-ports.ts';
import { orphanedReferenceNat, type ReferenceNat } from '../facts/reference-nat.ts';
import { grouped } from '../grouped.ts';
import { removeElements } from '../mends/remove-elements.ts';
import { type ReferenceRule, removeReferenceRules } from '../mends/remove-reference-rules.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';
import { orphanedVeths } from './ports.ts';

export const natWithoutOwner: Rule = {
  id: 'D021',
  name: 'nat-without-owner',
  severity: 'warning',
  summary: 'Masquerade, host ports or MAC checks in nftables are left of containers that are gone.',
  meaning:
    'a host port leads nowhere, and no other pod can have it; who gets the address next may be known by the wrong rules',
  async find(survey) {
    const orphans = await foundTwice(survey, orphanedElements, keyOf);
    return [...grouped(orphans, networkOf)].map(([network, elements]) => found(network, elements));
  },
};

export const referenceNatWithoutOwner: Rule = {
  id: 'D022',
  name: 'reference-nat-without-owner',
  severity: 'warning',
  summary: 'Rules of the reference plugins are left of containers that are gone.',
  meaning:
    'a host port leads nowhere, or to the next pod with that address; every packet is compared with rules that nobody needs',
  async find(survey) {
    const orphans = await foundTwice(survey, orphanedReferenceNat, ({ source, text }) => `${source} ${text}`);
    const objects = grouped(orphans, ({ network, containerID }) =>
      network === '' ? `container ${containerID}` : `network ${network}`,
    );
    return [...objects].map(([object, rules]) => foundReference(object, rules));
  },
};

/**
 * The elements of our own sets whose owner no cache, lease or record knows to be there, and that are of no address that a
 * namespace has, and of no link of the node. None where not every namespace can be looked into. To be asked a second time
 * before anything is done about it.
 */
export function orphanedElements(survey: Survey): FoundElement[] {
  // Read before the namespaces: who is starting has its address first.
  const candidates = ownElements(survey).filter(({ element: { comment = '' } }) => {
    const owner = parseOwner(comment);
    return (
      owner !== undefined &&
      concernsHash(survey, owner.networkHash) &&
      !knownHashes(survey).has(owner.ownerHash)
    );
  });
  if (candidates.length === 0 || isPartial(survey)) return [];
  const links = new Set(survey.host().links.map(({ name }) => name));
  const linked = linkedOwners(survey);
  return candidates.filter((found) => !linked.has(hashOf(found) ?? '') && !isInUse(survey, found, links));
}

function hashOf({ element: { comment = '' } }: FoundElement): string | undefined {
  return parseOwner(comment)?.ownerHash;
}

/** Those that have a veth, whose other end may be where it is not seen, unless that is an orphan itself. */
function linkedOwners(survey: Survey): ReadonlySet<string> {
  const orphans = new Set(orphanedVeths(survey).map(({ link }) => link.index));
  const linked = survey.host().links.filter((link) => isOurs(link) && !orphans.has(link.index));
  return new Set(linked.flatMap(({ alias = '' }) => parseOwner(alias)?.ownerHash ?? []));
}

function isInUse(survey: Survey, { set, element }: FoundElement, links: ReadonlySet<string>): boolean {
  if (addressesOfElement({ set, element }).some((address) => isHeld(survey, address))) return true;
  if (set.family !== 'bridge') return false;
  return set.key.some((type, index) => {
    const field = element.key[index];
    return type === 'ifname' && field !== undefined && links.has(interfaceName(Buffer.from(field)));
  });
}

function keyOf({ set, element }: FoundElement): string {
  return `${setText(set)} ${elementText(set, element)} ${element.comment}`;
}

function networkOf({ element }: FoundElement): string {
  return ownerNames(element.comment ?? '').network;
}

function found(network: string, elements: readonly FoundElement[]): Draft {
  const owners = elements.map(({ element }) => ownerNames(element.comment ?? ''));
  return {
    object: `network ${network}`,
    cause: `${elements.length} element${elements.length === 1 ? '' : 's'} of nftables ${elements.length === 1 ? 'is' : 'are'} left of containers that are gone`,
    evidence: elements.slice(0, 3).map(({ set, element }) => ({
      source: `nft list ${setText(set)}`,
      text: `${elementText(set, element)} comment "${element.comment}"`,
    })),
    fix: ['cni-debug doctor --fix', `cni-debug gc ${shellWord(network)}`],
    follows: [...reasonsFor(owners), { id: 'D020', object: `network ${network}` }],
    mend: removeElements(elements, orphanedElements),
  };
}

function foundReference(object: string, rules: readonly ReferenceNat[]): Draft {
  const isOne = rules.length === 1;
  const own = inNftables(rules);
  return {
    object,
    cause: `${rules.length} rule${isOne ? '' : 's'} of the reference plugins ${isOne ? 'is' : 'are'} left of containers that are gone`,
    evidence: rules.slice(0, 3).map(({ source, text }) => ({ source, text })),
    fix: [
      ...(rules.some(({ backend }) => backend === 'nftables') ? ['cni-debug doctor --fix'] : []),
      ...commandsFor(rules.filter(({ backend }) => backend === 'iptables')),
    ],
    follows: reasonsFor(rules),
    ...(own.length > 0 ? { mend: removeReferenceRules(own, orphanedRules) } : {}),
  };
}

/** Those that may be removed. */
function inNftables(rules: readonly ReferenceNat[]): ReferenceRule[] {
  return rules.flatMap(({ backend, rule, ...whose }) =>
    backend === 'nftables' && rule !== undefined ? [{ ...whose, rule }] : [],
  );
}

function orphanedRules(survey: Survey): ReferenceRule[] {
  return inNftables(orphanedReferenceNat(survey));
}

/** iptables' tables are not ours to write. */
function commandsFor(rules: readonly ReferenceNat[]): string[] {
  const ruleset = new Ruleset();
  try {
    return rules.slice(0, mostCommanded).flatMap((owner) => {
      const left = [...iptablesLeftovers(ruleset, owner), ...iptablesHostPorts(ruleset, owner)];
      return left.flatMap(({ commands }) => commands);
    });
  } finally {
    ruleset.close();
  }
}

/** More are said when these are gone. */
const mostCommanded = 5;

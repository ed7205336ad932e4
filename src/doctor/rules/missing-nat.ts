import { hostVethName } from '../../network/attachment.ts';
import { listedNat, type PresentNat } from '../../network/present-nat.ts';
import { missingNat, type WantedNat } from '../../network/wanted-nat.ts';
import { containerText, type MadeAttachment } from '../facts/made-attachments.ts';
import { type NatOfAttachment, natOfAttachments } from '../facts/nat-of-attachments.ts';
import { chainsOf, rulesOf, withNftables } from '../facts/nftables.ts';
import { hasOldNat } from '../facts/old-iptables.ts';
import { hashesOf, iptablesChainsOf } from '../facts/reference-nat.ts';
import { grouped } from '../grouped.ts';
import { type LostNat, restoreNat } from '../mends/restore-nat.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

export const natMissing: Rule = {
  id: 'D023',
  name: 'nat-missing',
  severity: 'error',
  summary: 'Masquerade, host ports or MAC checks of containers that live are gone from the firewall.',
  meaning: 'what these pods send out gets no answer, or their host ports lead nowhere',
  async find(survey) {
    const lacking = await foundTwice(survey, lackingNat, ({ made, missing }) =>
      [containerText(made), ...missing].join('\n'),
    );
    return [...grouped(lacking, ({ made }) => made.network)].map(([network, all]) =>
      found(survey, network, all),
    );
  },
};

/** A container that lives, and what it has lost. */
export interface LackingNat {
  readonly made: MadeAttachment;
  /** What it should have; undefined where the reference's plugins made it, which keep it elsewhere. */
  readonly wanted: WantedNat | undefined;
  /** In words. */
  readonly missing: readonly string[];
  /** The command that shows it. */
  readonly source: string;
}

/**
 * The attachments without the masquerade, host ports or MAC check that their configuration of ADD asks for, whether ours
 * or the reference's plugins made it; of the latter only whether there is nothing of it at all. To be asked a second time
 * before anything is done about it.
 */
export function lackingNat(survey: Survey): LackingNat[] {
  return see('nftables', () =>
    withNftables((nftables) => {
      const present = listedNat(nftables);
      return natOfAttachments(survey).flatMap((one) => lackingOf(survey, present, one));
    }),
  );
}

function lackingOf(survey: Survey, present: PresentNat, { made, wanted }: NatOfAttachment): LackingNat[] {
  const isOurs = hasOwnPort(made);
  if (wanted.hostPorts === undefined)
    return isOurs ? lackingOfOurs(present, made, wanted) : lackingOfReference(survey, made, wanted);
  // Who made the interface need not be who leads ports to it, and nothing says who that is.
  if (hasReferencePorts(survey, made)) return [];
  const lacking = lackingOfOurs(present, made, wanted);
  if (isOurs || lacking.length === 0) return lacking;
  return hasOldNat(survey) ? [] : lacking.map((one) => ({ ...one, wanted: undefined }));
}

function lackingOfOurs(present: PresentNat, made: MadeAttachment, wanted: WantedNat): LackingNat[] {
  const { spoofCheck, ...inet } = wanted;
  const parts = [
    { family: 'inet', part: inet },
    { family: 'bridge', part: spoofCheck === undefined ? {} : { spoofCheck } },
  ];
  return parts.flatMap(({ family, part }) => {
    const missing = missingNat(present, made, part);
    return missing.length === 0
      ? []
      : [{ made, wanted, missing, source: `nft list table ${family} cni_debug` }];
  });
}

function lackingOfReference(
  survey: Survey,
  made: MadeAttachment,
  { masquerade, spoofCheck }: WantedNat,
): LackingNat[] {
  const lacking: LackingNat[] = [];
  if (masquerade !== undefined && !hasReferenceMasquerade(survey, made)) {
    const missing = [`no rule masquerades ${made.ifName} of ${made.containerID}`];
    lacking.push({ made, wanted: undefined, missing, source: 'nft list ruleset' });
  }
  const comment = `macspoofchk-${made.containerID}-${made.ifName}`;
  const rules = rulesOf(survey, { family: 'bridge', table: 'nat' });
  if (spoofCheck !== undefined && !rules.some((rule) => rule.comment === comment)) {
    const source = 'nft list table bridge nat';
    lacking.push({ made, wanted: undefined, missing: [`no rule has the comment ${comment}`], source });
  }
  return lacking;
}

/** Of the older iptables we see nothing: there may be such a rule. */
function hasReferenceMasquerade(survey: Survey, made: MadeAttachment): boolean {
  const hashes = `${hashesOf(made)},`;
  const rules = rulesOf(survey, { family: 'inet', table: 'cni_plugins_masquerade' });
  return (
    rules.some(({ comment }) => comment?.startsWith(hashes)) ||
    hasChain(survey, iptablesChainsOf(made).masquerade) ||
    hasOldNat(survey)
  );
}

function hasReferencePorts(survey: Survey, made: MadeAttachment): boolean {
  return hostPortOwners(survey).has(made.containerID) || hasChain(survey, iptablesChainsOf(made).hostPorts);
}

function hasChain(survey: Survey, name: string): boolean {
  return natChains(survey).has(name);
}

function natChains(survey: Survey): ReadonlySet<string> {
  return survey.once('names of nat chains', 'nft list chains', () => {
    const chains = chainsOf(survey).filter(({ table }) => table === 'nat');
    return new Set(chains.map(({ chain }) => chain));
  });
}

/** The containers that the reference's `portmap` names in its rules. */
function hostPortOwners(survey: Survey): ReadonlySet<string> {
  return survey.once('owners of cni_hostport', 'nft list table ip cni_hostport', () => {
    const rules = (['ip', 'ip6'] as const).flatMap((family) =>
      rulesOf(survey, { family, table: 'cni_hostport' }),
    );
    return new Set(rules.flatMap(({ comment }) => comment ?? []));
  });
}

function hasOwnPort(made: MadeAttachment): boolean {
  const name = hostVethName(made);
  return (made.result.interfaces ?? []).some((one) => one.name === name && !one.sandbox);
}

function found(survey: Survey, network: string, lacking: readonly LackingNat[]): Draft {
  const containers = new Map(lacking.map(({ made }) => [containerText(made), made.path]));
  const [[first = ''] = []] = containers;
  const isOfReference = ({ wanted }: LackingNat) => wanted === undefined;
  const complaints = new Map(
    lacking.flatMap(({ missing, source }) => missing.map((text) => [text, { source, text }])),
  );
  const own = ofOurs(lacking);
  return {
    object: `network ${network}`,
    cause: `the firewall has lost what was made for ${containers.size === 1 ? first : `${containers.size} containers`}`,
    evidence: [
      ...[...complaints.values()].slice(0, mostComplaints),
      ...[...containers].slice(0, mostContainers).map(([container, path]) => ({
        source: path,
        text: `${container} was attached with it`,
      })),
    ],
    ...(own.length > 0 ? { mend: restoreNat(survey, own, (fresh) => ofOurs(lackingNat(fresh))) } : {}),
    fix: [
      ...(lacking.every(isOfReference) ? [] : ['cni-debug doctor --fix']),
      ...(lacking.some(isOfReference)
        ? ['start these pods anew: the reference plugins make such rules at ADD only']
        : []),
    ],
  };
}

function ofOurs(lacking: readonly LackingNat[]): LostNat[] {
  return lacking.flatMap(({ wanted, ...one }) => (wanted === undefined ? [] : [{ ...one, wanted }]));
}

const mostComplaints = 5;
const mostContainers = 3;

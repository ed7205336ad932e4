import { formatIp, parseIp } from '../../cni/address.ts';
import { xtablesComment } from '../../kernel/nftables/foreign-text.ts';
import type { Rule } from '../../kernel/nftables/rule.ts';
import { ruleText } from '../../kernel/nftables/rule-text.ts';
import type { Attachment } from '../../network/attachment.ts';
import { digest } from '../../network/digest.ts';
import type { Survey } from '../survey.ts';
import { hiddenPeers } from './hidden-peers.ts';
import { isHeld, knownOwners } from './known-owners.ts';
import { chainsOf, rulesOf } from './nftables.ts';
import { isOurs } from './node-ports.ts';

/** Rules that a plugin of the reference has made for one attachment, where it keeps them in nftables or iptables-nft. */
export interface ReferenceNat {
  /** Empty where the rules do not say it. */
  readonly network: string;
  readonly containerID: string;
  /** Empty where the rules do not say it. */
  readonly ifName: string;
  readonly backend: 'nftables' | 'iptables';
  /** The chain that they are in, as a command shows it. */
  readonly source: string;
  readonly text: string;
  /** Where it is one rule of nftables. */
  readonly rule?: Rule;
}

/**
 * Those whose container no cache, lease or record knows to be there, and that are of no address that a namespace has. To
 * be asked a second time before anything is done about it.
 */
export function orphanedReferenceNat(survey: Survey): ReferenceNat[] {
  // Whose rules these are may be in a namespace that is not to be seen.
  if (hiddenPeers(survey).some((link) => !isOurs(link))) return [];
  return [...masqueradeRules(survey), ...hostPortRules(survey), ...spoofRules(survey), ...chains(survey)];
}

/** pkg/ip/ipmasq_nftables_linux.go: `<hash of network>-<hash of interface and container>, net: lab, if: eth0, id: 3f2a`. */
function masqueradeRules(survey: Survey): ReferenceNat[] {
  const known = new Set(knownOwners(survey).map(hashesOf));
  return rulesOf(survey, { family: 'inet', table: 'cni_plugins_masquerade' }).flatMap((rule) => {
    const [, hashes = '', network = '', ifName = '', containerID = ''] =
      /^([0-9a-f]{16}-[0-9a-f]{16}), net: (.*?), if: (.*?), id: (.*)$/.exec(rule.comment ?? '') ?? [];
    if (hashes === '' || known.has(hashes) || !survey.concerns(network) || isUsed(survey, rule)) return [];
    return [{ network, containerID, ifName, backend: 'nftables' as const, ...seen(rule) }];
  });
}

/** plugins/meta/portmap/portmap_nftables.go: the comment is the container's ID, and nothing else. */
function hostPortRules(survey: Survey): ReferenceNat[] {
  // Nothing says of which network they are.
  if (survey.settings.network !== undefined) return [];
  const known = new Set(knownOwners(survey).map(({ containerID }) => containerID));
  const rules = (['ip', 'ip6'] as const).flatMap((family) =>
    rulesOf(survey, { family, table: 'cni_hostport' }),
  );
  return rules.flatMap((rule) => {
    const containerID = rule.comment ?? '';
    if (containerID === '' || known.has(containerID) || isUsed(survey, rule)) return [];
    return [{ network: '', containerID, ifName: '', backend: 'nftables' as const, ...seen(rule) }];
  });
}

/**
 * pkg/link/spoofcheck.go: `macspoofchk-<container>-<interface>`, on a link of the node; and the chain that such a rule led
 * to, where a DEL was killed before that was gone, too.
 */
function spoofRules(survey: Survey): ReferenceNat[] {
  if (survey.settings.network !== undefined) return [];
  const known = new Set(
    knownOwners(survey).map(({ containerID, ifName }) => `macspoofchk-${containerID}-${ifName}`),
  );
  const links = survey.host().links.map(({ name }) => Buffer.from(`${name}\0`));
  const rules = rulesOf(survey, { family: 'bridge', table: 'nat' });
  const begun = new Set(
    rules.flatMap(({ chain, comment }) => (chain === 'PREROUTING' ? (comment ?? []) : [])),
  );
  return rules.flatMap((rule) => {
    const { comment = '', chain, expressions } = rule;
    const [, containerID, ifName] = /^macspoofchk-(.*)-([^-]+)$/.exec(comment) ?? [];
    if (containerID === undefined || ifName === undefined || known.has(comment)) return [];
    const isCut = chain === `cni-br-iface-${containerID}-${ifName}` && !begun.has(comment);
    if (chain !== 'PREROUTING' && !isCut) return [];
    const isOfLink = expressions.some(
      (one) => 'value' in one && links.some((name) => startsWith(one.value, name)),
    );
    return isOfLink
      ? []
      : [{ network: '', containerID, ifName, backend: 'nftables' as const, ...seen(rule) }];
  });
}

/**
 * What iptables-nft keeps: pkg/ip/ipmasq_iptables_linux.go and plugins/meta/portmap/portmap_iptables.go have a chain for
 * each container, `CNI-` or `CNI-DN-` and a hash, and name both in the comments of the rules that jump to it.
 */
function chains(survey: Survey): ReferenceNat[] {
  const known = new Set(knownOwners(survey).flatMap((owner) => Object.values(iptablesChainsOf(owner))));
  const orphans = chainsOf(survey).filter(
    ({ table, chain }) => table === 'nat' && /^CNI-(DN-)?[0-9a-f]{21,24}$/.test(chain) && !known.has(chain),
  );
  return orphans.flatMap(({ family, chain }) => {
    const rules = rulesOf(survey, { family, table: 'nat' });
    const jumps = rules.filter((rule) => isJumpTo(rule, chain));
    const own = rules.filter((rule) => rule.chain === chain);
    if ([...jumps, ...own].some((rule) => isUsed(survey, rule))) return [];
    const [, network = '', containerID = ''] =
      [...jumps, ...own].map(xtablesNames).find((names) => names !== null) ?? [];
    // Whose it is must be said, and the name of the chain must say the same.
    const names = Object.values(iptablesChainsOf({ network, containerID }));
    if (!names.includes(chain) || !survey.concerns(network)) return [];
    const [shown = own[0]] = jumps;
    const text = shown === undefined ? chain : ruleText(shown.expressions);
    const source = `${family === 'ip' ? 'iptables' : 'ip6tables'} -t nat -S ${chain}`;
    return [{ network, containerID, ifName: '', backend: 'iptables' as const, source, text }];
  });
}

/** MAX_CHAIN_LENGTH of the reference. */
const longestChain = 28;

/** The chains that the reference's plugins have for an attachment in iptables. */
export function iptablesChainsOf({ network, containerID }: Pick<Attachment, 'network' | 'containerID'>): {
  masquerade: string;
  hostPorts: string;
} {
  const hash = digest('sha512', `${network}${containerID}`);
  return {
    masquerade: `CNI-${hash}`.slice(0, longestChain),
    hostPorts: `CNI-DN-${hash}`.slice(0, longestChain),
  };
}

/** What a comment of the reference's masquerade begins with. */
export function hashesOf({ network, containerID, ifName }: Attachment): string {
  return `${digest('sha512', network).slice(0, 16)}-${digest('sha512', `${ifName}:${containerID}`).slice(0, 16)}`;
}

function seen(rule: Rule): { source: string; text: string; rule: Rule } {
  const { family, table, chain, comment } = rule;
  return {
    rule,
    source: `nft --handle list chain ${family} ${table} ${chain}`,
    text: `${ruleText(rule.expressions)} comment "${comment}" # handle ${rule.handle}`,
  };
}

function xtablesNames({ expressions }: Rule): RegExpExecArray | null {
  for (const one of expressions) {
    const comment = one.name === 'foreign' ? xtablesComment(one) : undefined;
    const names = /name: "(.*?)" id: "(.*?)"/.exec(comment ?? '');
    if (names !== null) return names;
  }
  return null;
}

function isJumpTo({ expressions }: Rule, chain: string): boolean {
  return expressions.some(
    (one) =>
      one.name === 'immediate' && 'verdict' in one && 'chain' in one.verdict && one.verdict.chain === chain,
  );
}

/** An address in it is one that a namespace has. */
function isUsed(survey: Survey, { expressions }: Rule): boolean {
  const words = ruleText(expressions).split(/[^0-9a-fA-F:.]+/);
  return words.some((word) => {
    // `10.22.0.5:80`, but an IPv6 address has colons of its own.
    const ip = parseIp(word) ?? parseIp(word.replace(/:\d+$/, ''));
    return ip !== undefined && isHeld(survey, formatIp(ip));
  });
}

function startsWith(bytes: Uint8Array, name: Buffer): boolean {
  return Buffer.from(bytes).subarray(0, name.length).equals(name);
}

import { formatIp } from '../cni/address.ts';
import { type ChainName, findChain } from '../kernel/nftables/chain.ts';
import type { Expression } from '../kernel/nftables/expression.ts';
import { listRules, type Rule } from '../kernel/nftables/rule.ts';
import type { Attachment } from './attachment.ts';
import { digest } from './digest.ts';
import type { Ruleset } from './ruleset.ts';

/** A chain that the reference left in iptables' tables, which are not ours to write. */
export interface IptablesLeftover {
  /** `CNI-53891582a0e78f748d4ac20d in table ip nat` */
  readonly object: string;
  /** What removes it, line by line, for a shell. */
  readonly commands: readonly string[];
}

/**
 * What the reference's `bridge` and `ptp` left of an attachment's masquerade in iptables (pkg/ip/ipmasq_iptables_linux.go):
 * a chain for each container and network, and the rules of POSTROUTING that jump to it. Only what iptables keeps in
 * nftables is seen (iptables-nft); the older tables of the kernel are not. Throws NetlinkError.
 */
export function iptablesLeftovers(ruleset: Ruleset, owner: Attachment): IptablesLeftover[] {
  const { nftables } = ruleset;
  const hash = digest('sha512', `${owner.network}${owner.containerID}`);
  const chain = `CNI-${hash}`.slice(0, LONGEST_CHAIN);
  return FAMILIES.flatMap(({ family, command }) => {
    const name: ChainName = { family, table: 'nat', chain };
    if (findChain(nftables, name) === undefined) return [];
    const jumps = listRules(nftables, { ...name, chain: 'POSTROUTING' }).flatMap((rule) =>
      sourceOf(rule, chain),
    );
    const comment = `-m comment --comment 'name: "${owner.network}" id: "${owner.containerID}"'`;
    return {
      object: `${chain} in table ${family} nat`,
      commands: [
        ...jumps.map((source) => `${command} -D POSTROUTING -s ${source} ${comment} -j ${chain}`),
        `${command} -F ${chain}`,
        `${command} -X ${chain}`,
      ],
    };
  });
}

/**
 * What the reference's `portmap` left of an attachment in iptables (plugins/meta/portmap/portmap_iptables.go): a chain for
 * each container and network, and the rules of CNI-HOSTPORT-DNAT that jump to it. Seen as above. Throws NetlinkError.
 */
export function iptablesHostPorts({ nftables }: Ruleset, owner: Attachment): IptablesLeftover[] {
  const chain = `CNI-DN-${digest('sha512', `${owner.network}${owner.containerID}`)}`.slice(0, LONGEST_CHAIN);
  return FAMILIES.flatMap(({ family, command }) => {
    if (findChain(nftables, { family, table: 'nat', chain }) === undefined) return [];
    const jump = `${command} -S CNI-HOSTPORT-DNAT | sed -n 's/^-A\\(.* -j ${chain}\\)$/${command} -D\\1/p' | sh`;
    return {
      object: `${chain} in table ${family} nat`,
      commands: [jump, `${command} -F ${chain}`, `${command} -X ${chain}`],
    };
  });
}

/** The address of the rule's `-s`, when the rule jumps to the chain. */
function sourceOf({ expressions }: Rule, chain: string): string[] {
  const jumps = expressions.some(
    (one) =>
      one.name === 'immediate' && 'verdict' in one && 'chain' in one.verdict && one.verdict.chain === chain,
  );
  if (!jumps) return [];
  const [load, comparison] = expressions as Expression[];
  if (load?.name !== 'payload' || comparison?.name !== 'cmp') return [];
  return [formatIp(comparison.value)];
}

/** MAX_CHAIN_LENGTH of the reference. */
const LONGEST_CHAIN = 28;
const FAMILIES = [
  { family: 'ip', command: 'iptables -w -t nat' },
  { family: 'ip6', command: 'ip6tables -w -t nat' },
] as const;

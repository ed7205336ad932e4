import type { Ip } from '../cni/address.ts';
import { type ChainName, findChain } from '../kernel/nftables/chain.ts';
import { deleteRule, listRules, type Rule } from '../kernel/nftables/rule.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import type { Attachment } from './attachment.ts';
import { digest } from './digest.ts';
import type { Ruleset } from './ruleset.ts';
import { removeUnusedChain } from './unused-chain.ts';

// What the reference plugins keep in nftables for an attachment, for a DEL of ours that follows an ADD of theirs.

/**
 * Removes the masquerade rules of the reference's `bridge` and `ptp` (`"ipMasqBackend": "nftables"`): those whose
 * comment begins with the hashes of network and attachment (containernetworking/plugins, pkg/ip/ipmasq_nftables_linux.go).
 */
export function planReferenceMasqueradeRemoval(ruleset: Ruleset, owner: Attachment): void {
  const { network, containerID, ifName } = owner;
  const comment = `${shortHash(network)}-${shortHash(`${ifName}:${containerID}`)}, `;
  ruleset.plan({
    careful: true,
    write(batch, { nftables }) {
      for (const rule of listRules(nftables, MASQ_CHECKS)) {
        if (rule.comment?.startsWith(comment)) deleteRule(batch, rule);
      }
    },
  });
}

/**
 * Removes what the reference's `macspoofchk` made: the rule that its comment names, and the two chains of that name
 * (pkg/link/spoofcheck.go).
 */
export function planReferenceSpoofCheckRemoval(ruleset: Ruleset, owner: Attachment): void {
  const { containerID, ifName } = owner;
  ruleset.plan({
    careful: true,
    write(batch, { nftables }) {
      for (const rule of listRules(nftables, BRIDGE_PREROUTING)) {
        if (rule.comment === `macspoofchk-${containerID}-${ifName}`) deleteRule(batch, rule);
      }
    },
    after: (nftables) => removeReferenceSpoofCheckChains(nftables, owner),
  });
}

/** The two chains, when the rule is gone that leads to them. Throws NetlinkError. */
export function removeReferenceSpoofCheckChains(
  nftables: Nftables,
  { containerID, ifName }: Omit<Attachment, 'network'>,
): void {
  const chain = `cni-br-iface-${containerID}-${ifName}`;
  // The first one jumps to the second.
  for (const name of [chain, `${chain}-mac`].map((one) => ({ ...BRIDGE_PREROUTING, chain: one }))) {
    if (Buffer.byteLength(name.chain) > LONGEST_NAME) continue;
    if (findChain(nftables, name) !== undefined) removeUnusedChain(nftables, name);
  }
}

/**
 * Removes the rules of the reference's `portmap` (`"backend": "nftables"`), unless there was something of ours. Their comment is the
 * bare container ID (plugins/meta/portmap/portmap_nftables.go), so that with `addresses` only those go that have one of
 * them: the others are another attachment's.
 */
export function planReferenceHostPortRemoval(
  ruleset: Ruleset,
  { containerID }: Attachment,
  addresses: readonly Ip[],
  ours: readonly unknown[],
): void {
  const isOf = (rule: Rule): boolean =>
    rule.comment === containerID &&
    (addresses.length === 0 || addresses.some((address) => mentions(rule, address)));
  ruleset.plan({
    careful: true,
    write(batch, { nftables }) {
      if (ours.length > 0) return;
      for (const family of ['ip', 'ip6'] as const) {
        for (const chain of HOSTPORT_CHAINS) {
          const rules = listRules(nftables, { family, table: 'cni_hostport', chain });
          for (const rule of rules) if (isOf(rule)) deleteRule(batch, rule);
        }
      }
    },
  });
}

function mentions({ expressions }: Rule, address: Ip): boolean {
  return expressions.some((one) => 'value' in one && Buffer.compare(one.value, address) === 0);
}

const HOSTPORT_CHAINS = ['hostip_hostports', 'hostports', 'masquerading'];

/** NFT_NAME_MAXLEN, with its NUL: the reference can have made no chain with a longer name. */
const LONGEST_NAME = 255;
const MASQ_CHECKS: ChainName = { family: 'inet', table: 'cni_plugins_masquerade', chain: 'masq_checks' };
const BRIDGE_PREROUTING: ChainName = { family: 'bridge', table: 'nat', chain: 'PREROUTING' };

function shortHash(text: string): string {
  return digest('sha512', text).slice(0, 16);
}

import { type Cidr, formatCidr, networkOf } from '../cni/address.ts';
import type { Batch } from '../kernel/nftables/batch.ts';
import { type ChainName, findChain, listChains } from '../kernel/nftables/chain.ts';
import type { Expression } from '../kernel/nftables/expression.ts';
import { addressIs, addressVerdict, verdict } from '../kernel/nftables/match.ts';
import { addSet, type SetType } from '../kernel/nftables/set.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { addTable } from '../kernel/nftables/table.ts';
import { COMMENT_LIMIT } from '../kernel/nftables/user-data.ts';
import { type Attachment, networkHash } from './attachment.ts';
import { digest } from './digest.ts';
import { type OwnedChain, writeChain } from './owned-chain.ts';
import {
  complaintOf,
  type FoundElement,
  type OwnedElement,
  orphanedElements,
  ownedElements,
  writeOwned,
} from './owned-element.ts';
import { planElementRemoval } from './owned-removal.ts';
import type { PresentNat } from './present-nat.ts';
import type { Ruleset } from './ruleset.ts';
import { removeUnusedChain } from './unused-chain.ts';

/**
 * What an attachment sends to other networks than its own gets the node's address. One map for each family says of a
 * source address which chain is its subnet's, so that the cost of a packet does not grow with the containers:
 *
 *     map masquerade4 { 10.22.0.5 comment "…" : jump masquerade_6f… }
 *     chain masquerade_6f… { ip daddr 10.22.0.0/16 return; ip daddr 224.0.0.0/4 return; masquerade }
 *     chain postrouting { type nat hook postrouting priority srcnat; ip saddr vmap @masquerade4; … }
 *
 * An element that is there for another attachment is replaced: whoever plans this holds the lease of the address. What
 * goes to `leftAlone`, if it is given, keeps the address of its source, and not only what stays in the subnet.
 */
export function planMasquerade(
  ruleset: Ruleset,
  owner: Attachment,
  addresses: readonly Cidr[],
  leftAlone?: Cidr,
): void {
  if (addresses.length === 0) return;
  const sources = sourcesOf(addresses, leftAlone);
  ruleset.plan({
    write(batch, look) {
      writeChain(batch, look.rules, postrouting(), () => writeMaps(batch));
      for (const chain of subnetsOf(owner.network, sources)) writeChain(batch, look.rules, chain);
      writeOwned(
        batch,
        look,
        owner,
        sources.map((source) => elementOf(owner, source)),
      );
    },
  });
}

/**
 * Takes that back. Elements of others stay, whatever their address. `addresses` says where to look; without them, and
 * where one is not there, all elements are looked at.
 */
export function planMasqueradeRemoval(
  ruleset: Ruleset,
  owner: Attachment,
  addresses: readonly Cidr[] = [],
  leftAlone?: Cidr,
): void {
  const sources = sourcesOf(addresses, leftAlone);
  const hint = sources.map((source) => elementOf(owner, source));
  const chains = sources.map((source) => subnetChain(owner.network, source).chain);
  planElementRemoval(
    ruleset,
    (nftables) => ownedElements(nftables, MASQUERADE_MAPS, owner, hint),
    (nftables, removed) => {
      const found = [
        ...chainsOf(removed),
        ...(hint.length > 0 ? chains : networkChains(nftables, owner.network)),
      ];
      removeUnused(nftables, found);
    },
  );
}

/** For GC: takes back what the network's attachments have that are not among `valid`. `commit` fills the list. */
export function planMasqueradeCollection(
  ruleset: Ruleset,
  network: string,
  valid: readonly Attachment[],
): readonly FoundElement[] {
  return planElementRemoval(
    ruleset,
    (nftables) => orphanedElements(nftables, MASQUERADE_MAPS, network, valid),
    (nftables, removed) =>
      removeUnused(nftables, [...chainsOf(removed), ...networkChains(nftables, network)]),
  );
}

/** For CHECK: what is missing, in words. Throws NetlinkError. */
export function missingMasquerade(
  present: PresentNat,
  owner: Attachment,
  addresses: readonly Cidr[],
  leftAlone?: Cidr,
): string[] {
  const sources = sourcesOf(addresses, leftAlone);
  const complaints = [
    ...[postrouting(), ...subnetsOf(owner.network, sources)].map((chain) => present.complaintOf(chain)),
    ...sources.map((source) => complaintOf(present, owner, elementOf(owner, source))),
  ];
  return complaints.filter((complaint) => complaint !== undefined);
}

const TABLE = { family: 'inet', table: 'cni_debug' } as const;
const POSTROUTING: ChainName = { ...TABLE, chain: 'postrouting' };
const MAPS: { 4: SetType; 6: SetType } = {
  4: { ...TABLE, set: 'masquerade4', key: ['ipv4_addr'], data: 'verdict' },
  6: { ...TABLE, set: 'masquerade6', key: ['ipv6_addr'], data: 'verdict' },
};
/** All that attachments have of it. */
export const MASQUERADE_MAPS: readonly SetType[] = [MAPS[4], MAPS[6]];
/** NF_IP_PRI_NAT_SRC, `srcnat` */
const SRCNAT = 100;
const MULTICAST = {
  4: { ip: Uint8Array.of(224, 0, 0, 0), prefixLength: 4 },
  6: { ip: Uint8Array.of(0xff, ...new Array<number>(15).fill(0)), prefixLength: 8 },
};
const PREFIX = 'masquerade_';
const SUBNET_RULES = 3;

function writeMaps(batch: Batch): void {
  addTable(batch, TABLE, 'made by cni-debug');
  addSet(batch, MAPS[4]);
  addSet(batch, MAPS[6]);
}

/** That its rules are there says that the maps are, which they look into. */
function postrouting(): OwnedChain {
  const rules = [addressVerdict('saddr', MAPS[4]), addressVerdict('saddr', MAPS[6])];
  return {
    name: POSTROUTING,
    rules,
    options: { base: { type: 'nat', hook: 'postrouting', priority: SRCNAT } },
  };
}

/** An address, and where packets from it go unchanged. */
interface Source {
  readonly address: Cidr;
  readonly leftAlone: Cidr;
}

/** A network of the other family is nowhere that the address could go. */
function sourcesOf(addresses: readonly Cidr[], leftAlone: Cidr | undefined): Source[] {
  return addresses.map((address) => {
    const isSameFamily = leftAlone?.ip.length === address.ip.length;
    return { address, leftAlone: networkOf(leftAlone !== undefined && isSameFamily ? leftAlone : address) };
  });
}

/** Of several addresses in one subnet the chain is the same. */
function subnetsOf(network: string, sources: readonly Source[]): OwnedChain[] {
  const chains = sources.map((source) => {
    const name = subnetChain(network, source);
    const subnet = formatCidr(networkOf(source.address));
    // The hash decides, as in the comments of elements: a long name is cut.
    const comment = `${networkHash(network)} ${subnet} of network ${network}`.slice(0, COMMENT_LIMIT);
    return [name.chain, { name, rules: subnetRules(source), options: { comment } }] as const;
  });
  return [...new Map(chains).values()];
}

function subnetRules({ leftAlone }: Source): Expression[][] {
  const multicast = MULTICAST[familyOf(leftAlone.ip)];
  return [
    [...addressIs('daddr', leftAlone), verdict({ kind: 'return' })],
    [...addressIs('daddr', multicast), verdict({ kind: 'return' })],
    [{ name: 'masq' }],
  ];
}

function elementOf(owner: Attachment, source: Source): OwnedElement {
  const { address } = source;
  const { chain } = subnetChain(owner.network, source);
  return { set: mapOf(address.ip), key: [address.ip], data: { kind: 'jump', chain } };
}

/** One chain for all that does the same. DEL finds it by the element, also when another network is left alone by then. */
function subnetChain(network: string, { address, leftAlone }: Source): ChainName {
  const names = new Set([networkOf(address), leftAlone].map(formatCidr));
  const hash = digest('sha256', [network, ...names].join('\0'));
  return { ...TABLE, chain: `${PREFIX}${hash.slice(0, 16)}` };
}

const familyOf = (ip: Uint8Array): 4 | 6 => (ip.length === 4 ? 4 : 6);
const mapOf = (ip: Uint8Array): SetType => MAPS[familyOf(ip)];

/** The chains that elements lead to. */
function chainsOf(elements: readonly FoundElement[]): string[] {
  return elements.flatMap(({ element: { data } }) => (data && 'chain' in data ? [data.chain] : []));
}

/** All chains of a network's subnets: a DEL that was killed may have left one behind, with no element to find it by. */
function networkChains(nftables: Nftables, network: string): string[] {
  return listChains(nftables)
    .filter(({ family, table }) => family === TABLE.family && table === TABLE.table)
    .filter(
      ({ chain, comment }) => chain.startsWith(PREFIX) && comment?.startsWith(`${networkHash(network)} `),
    )
    .map(({ chain }) => chain);
}

/** Removes the chains of subnets that only these elements led to. Throws NetlinkError. */
export function removeUnusedSubnets(nftables: Nftables, removed: readonly FoundElement[]): void {
  removeUnused(nftables, chainsOf(removed));
}

/** A look is cheap; a batch that the kernel takes back waits for all processors. */
function removeUnused(nftables: Nftables, chains: readonly string[]): void {
  for (const name of [...new Set(chains)].map((chain) => ({ ...TABLE, chain }))) {
    const found = findChain(nftables, name);
    if (found !== undefined && found.use <= SUBNET_RULES) removeUnusedChain(nftables, name);
  }
}

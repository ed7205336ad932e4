import type { Batch } from '../kernel/nftables/batch.ts';
import type { ChainName } from '../kernel/nftables/chain.ts';
import { interfaceField, macField } from '../kernel/nftables/data-type.ts';
import { deleteElements, type Element, listElements } from '../kernel/nftables/element.ts';
import type { Expression } from '../kernel/nftables/expression.ts';
import { verdict } from '../kernel/nftables/match.ts';
import { addSet, type SetType } from '../kernel/nftables/set.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { addTable } from '../kernel/nftables/table.ts';
import type { Attachment } from './attachment.ts';
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

/** A port of a bridge, and the MAC address of the container behind it. */
export interface CheckedPort {
  readonly name: string;
  /** Six bytes in hexadecimal, with colons. */
  readonly mac: string;
}

/**
 * Frames that come in by the port are dropped when their source is not this MAC address (`macspoofchk`). One rule for
 * all ports:
 *
 *     set checked { "veth6f…" comment "…" }
 *     set allowed { "veth6f…" . 0a:58:0a:16:00:05 comment "…" }
 *     chain prerouting { type filter hook prerouting priority dstnat;
 *       iifname @checked iifname . ether saddr != @allowed drop }
 */
export function planSpoofCheck(ruleset: Ruleset, owner: Attachment, port: CheckedPort): void {
  ruleset.plan({
    write(batch, look) {
      writeChain(batch, look.rules, CHAIN, () => writeSets(batch));
      if (look.isGuarded) deleteOtherPairs(batch, look.nftables, port);
      writeOwned(batch, look, owner, elementsOf(port));
    },
  });
}

/** Takes that back. Elements of others stay. `port` says where to look; without it all elements are looked at. */
export function planSpoofCheckRemoval(ruleset: Ruleset, owner: Attachment, port?: CheckedPort): void {
  const hint = port === undefined ? [] : elementsOf(port);
  planElementRemoval(ruleset, (nftables) => ownedElements(nftables, SPOOF_CHECK_SETS, owner, hint));
}

/** For GC: takes back what the network's attachments have that are not among `valid`. `commit` fills the list. */
export function planSpoofCheckCollection(
  ruleset: Ruleset,
  network: string,
  valid: readonly Attachment[],
): readonly FoundElement[] {
  return planElementRemoval(ruleset, (nftables) =>
    orphanedElements(nftables, SPOOF_CHECK_SETS, network, valid),
  );
}

/** For CHECK: what is missing, in words. Throws NetlinkError. */
export function missingSpoofCheck(present: PresentNat, owner: Attachment, port: CheckedPort): string[] {
  const complaints = [
    present.complaintOf(CHAIN),
    ...elementsOf(port).map((element) => complaintOf(present, owner, element)),
  ];
  return complaints.filter((complaint) => complaint !== undefined);
}

const TABLE = { family: 'bridge', table: 'cni_debug' } as const;
const PREROUTING: ChainName = { ...TABLE, chain: 'prerouting' };
const CHECKED: SetType = { ...TABLE, set: 'checked', key: ['ifname'] };
const ALLOWED: SetType = { ...TABLE, set: 'allowed', key: ['ifname', 'ether_addr'] };
/** All that attachments have of it. */
export const SPOOF_CHECK_SETS: readonly SetType[] = [CHECKED, ALLOWED];
/** NF_BR_PRI_NAT_DST_BRIDGED: before the bridge learns where the address is. */
const DSTNAT = -300;

function writeSets(batch: Batch): void {
  addTable(batch, TABLE, 'made by cni-debug');
  addSet(batch, CHECKED);
  addSet(batch, ALLOWED);
}

/** The second lookup's key is a concatenation: the name fills the 16 bytes of register 1, the address is behind it. */
const DROP_SPOOFED: Expression[] = [
  { name: 'meta', key: 'iifname', register: 1 },
  { name: 'lookup', register: 1, set: CHECKED.set },
  { name: 'meta', key: 'iifname', register: 1 },
  { name: 'payload', base: 'link', offset: 6, length: 6, register: 2 },
  { name: 'lookup', register: 1, set: ALLOWED.set, inverted: true },
  verdict({ kind: 'drop' }),
];

const CHAIN: OwnedChain = {
  name: PREROUTING,
  rules: [DROP_SPOOFED],
  options: { base: { type: 'filter', hook: 'prerouting', priority: DSTNAT } },
};

function elementsOf({ name, mac }: CheckedPort): OwnedElement[] {
  return [
    { set: CHECKED, key: [interfaceField(name)] },
    { set: ALLOWED, key: [interfaceField(name), macField(mac)] },
  ];
}

/** What an earlier ADD allowed for a port of this name, when its DEL never came. */
function deleteOtherPairs(batch: Batch, nftables: Nftables, { name, mac }: CheckedPort): void {
  const isStale = ({ key: [port, address] }: Element): boolean =>
    interfaceField(name).equals(port ?? Buffer.alloc(0)) && !macField(mac).equals(address ?? Buffer.alloc(0));
  const stale = listElements(nftables, ALLOWED).filter(isStale);
  deleteElements(
    batch,
    ALLOWED,
    stale.map(({ key }) => key),
  );
}

import { type Attributes, attribute, nested, present, stringAttribute } from '../netlink/attribute.ts';
import { be32, be32Attribute, be64, signedBe32 } from '../netlink/big-endian.ts';
import { MalformedMessageError, NLM_F_CREATE } from '../netlink/message.ts';
import { decodeNetfilterPayload } from '../netlink/nfgenmsg.ts';
import type { Batch } from './batch.ts';
import { familyNumber, familyOf, NFPROTO_UNSPEC } from './family.ts';
import type { Nftables } from './socket.ts';
import { type TableName, tableText } from './table.ts';
import { commentOf, commentUserData } from './user-data.ts';

/** What names a chain. */
export interface ChainName extends TableName {
  chain: string;
}

/** Where packets come into a chain that no rule jumps to: a base chain. */
export interface Hook {
  type: 'filter' | 'nat' | 'route';
  hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  /** 100 is `srcnat`, -100 `dstnat`, -300 `raw` and the bridge family's `dstnat`. */
  priority: number;
  policy?: 'accept' | 'drop';
}

/** A chain, as `nft list chains` shows it. */
export interface Chain extends ChainName {
  handle: number;
  /** NFTA_CHAIN_USE: its rules, and the rules and elements that jump to it. */
  use: number;
  /** Absent in a chain that is jumped to, and for hooks that we do not use. */
  base?: Hook;
  /** NFTA_CHAIN_COUNTERS, of base chains that count what their policy decides, as iptables-nft's do. */
  packets?: number;
  comment?: string;
}

/** `postrouting in inet cni_debug` */
export const chainText = (name: ChainName): string => `${name.chain} in ${tableText(name)}`;

/** Adds a chain; one that is there stays as it is, and EEXIST when it is another base chain than this. */
export function addChain(
  batch: Batch,
  name: ChainName,
  { base, comment }: Pick<Chain, 'base' | 'comment'> = {},
): void {
  const userData = commentUserData(comment);
  batch.add({
    operation: `add chain ${chainText(name)}`,
    type: NFT_MSG_NEWCHAIN,
    flags: NLM_F_CREATE,
    family: familyNumber(name.family),
    attributes: [
      ...nameAttributes(name),
      ...(base === undefined ? [] : encodeHook(base)),
      ...(userData === undefined ? [] : [attribute(NFTA_CHAIN_USERDATA, userData)]),
    ],
  });
}

/** Deletes a chain and its rules; ENOENT when it is not there, EBUSY when a rule or an element jumps to it. */
export function deleteChain(batch: Batch, name: ChainName): void {
  batch.add({
    operation: `delete chain ${chainText(name)}`,
    type: NFT_MSG_DELCHAIN,
    flags: 0,
    family: familyNumber(name.family),
    attributes: nameAttributes(name),
  });
}

/** All chains in the socket's namespace. Throws as Nftables.dump does. */
export function listChains(nftables: Nftables): Chain[] {
  return nftables
    .dump({ operation: 'list chains', type: NFT_MSG_GETCHAIN, family: NFPROTO_UNSPEC, attributes: [] })
    .map(({ payload }) => decodeChain(payload));
}

/** Undefined when the chain, or its table, is not there. Throws as Nftables.find does. */
export function findChain(nftables: Nftables, name: ChainName): Chain | undefined {
  const [found] = nftables.find({
    operation: `get chain ${chainText(name)}`,
    type: NFT_MSG_GETCHAIN,
    family: familyNumber(name.family),
    attributes: nameAttributes(name),
  });
  return found === undefined ? undefined : decodeChain(found.payload);
}

/** Decodes NFT_MSG_NEWCHAIN: struct nfgenmsg and NFTA_CHAIN_*. Throws MalformedMessageError. */
export function decodeChain(payload: Buffer): Chain {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_CHAIN_TABLE);
  const chain = attributes.string(NFTA_CHAIN_NAME);
  if (table === undefined || chain === undefined) throw new MalformedMessageError('chain without a name');
  return present<Chain>({
    family: familyOf(family),
    table,
    chain,
    handle: be64(attributes, NFTA_CHAIN_HANDLE) ?? 0,
    use: be32(attributes, NFTA_CHAIN_USE) ?? 0,
    base: decodeHook(attributes),
    packets: decodeCounter(attributes.nested(NFTA_CHAIN_COUNTERS)),
    comment: commentOf(attributes.bytes(NFTA_CHAIN_USERDATA)),
  });
}

function nameAttributes({ table, chain }: ChainName): Buffer[] {
  return [stringAttribute(NFTA_CHAIN_TABLE, table), stringAttribute(NFTA_CHAIN_NAME, chain)];
}

function encodeHook({ type, hook, priority, policy = 'accept' }: Hook): Buffer[] {
  return [
    stringAttribute(NFTA_CHAIN_TYPE, type),
    be32Attribute(NFTA_CHAIN_POLICY, POLICIES.indexOf(policy)),
    nested(
      NFTA_CHAIN_HOOK,
      be32Attribute(NFTA_HOOK_HOOKNUM, HOOKS.indexOf(hook)),
      be32Attribute(NFTA_HOOK_PRIORITY, priority),
    ),
  ];
}

function decodeCounter(counters: Attributes | undefined): number | undefined {
  return counters && be64(counters, NFTA_COUNTER_PACKETS);
}

function decodeHook(attributes: Attributes): Hook | undefined {
  const place = attributes.nested(NFTA_CHAIN_HOOK);
  const type = TYPES.find((name) => name === attributes.string(NFTA_CHAIN_TYPE));
  if (place === undefined || type === undefined) return undefined;
  const hook = HOOKS[be32(place, NFTA_HOOK_HOOKNUM) ?? HOOKS.length];
  const priority = signedBe32(place, NFTA_HOOK_PRIORITY);
  const policy = POLICIES[be32(attributes, NFTA_CHAIN_POLICY) ?? POLICIES.length];
  if (hook === undefined || priority === undefined) return undefined;
  return { type, hook, priority, ...(policy === undefined ? {} : { policy }) };
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_GETCHAIN = 4;
const NFT_MSG_DELCHAIN = 5;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_HANDLE = 2;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_USE = 6;
const NFTA_CHAIN_TYPE = 7;
const NFTA_CHAIN_COUNTERS = 8;
const NFTA_CHAIN_USERDATA = 12;
const NFTA_COUNTER_PACKETS = 2;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const TYPES = ['filter', 'nat', 'route'] as const;
/** enum nf_inet_hooks, and the first five of the bridge family, in order */
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
/** NF_DROP and NF_ACCEPT */
const POLICIES = ['drop', 'accept'] as const;

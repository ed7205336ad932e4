import { attribute, present, stringAttribute } from '../netlink/attribute.ts';
import { be64, be64Attribute } from '../netlink/big-endian.ts';
import { MalformedMessageError, NLM_F_APPEND, NLM_F_CREATE } from '../netlink/message.ts';
import { decodeNetfilterPayload } from '../netlink/nfgenmsg.ts';
import type { Batch } from './batch.ts';
import { type ChainName, chainText } from './chain.ts';
import {
  decodeExpressions,
  type Expression,
  encodeExpressions,
  type ForeignExpression,
} from './expression.ts';
import { familyNumber, familyOf } from './family.ts';
import type { Nftables } from './socket.ts';
import { type TableName, tableText } from './table.ts';
import { commentOf, commentUserData } from './user-data.ts';

/** A rule, as `nft --handle list chain` shows it. */
export interface Rule extends ChainName {
  handle: number;
  expressions: (Expression | ForeignExpression)[];
  comment?: string;
  /** NFTA_RULE_USERDATA as it is: nft keeps the comment there, and others what they like. */
  userData?: Buffer;
}

/** Adds a rule behind the others of its chain. */
export function addRule(
  batch: Batch,
  name: ChainName,
  expressions: readonly Expression[],
  comment?: string,
): void {
  const userData = commentUserData(comment);
  batch.add({
    operation: `add rule to ${chainText(name)}`,
    type: NFT_MSG_NEWRULE,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    family: familyNumber(name.family),
    attributes: [
      ...nameAttributes(name),
      encodeExpressions(NFTA_RULE_EXPRESSIONS, expressions),
      ...(userData === undefined ? [] : [attribute(NFTA_RULE_USERDATA, userData)]),
    ],
  });
}

/** Deletes a rule; ENOENT when it is not there. */
export function deleteRule(batch: Batch, rule: ChainName & { handle: number }): void {
  batch.add({
    operation: `delete rule ${rule.handle} from ${chainText(rule)}`,
    type: NFT_MSG_DELRULE,
    flags: 0,
    family: familyNumber(rule.family),
    attributes: [...nameAttributes(rule), be64Attribute(NFTA_RULE_HANDLE, rule.handle)],
  });
}

/** Deletes all rules of a chain. */
export function flushChain(batch: Batch, name: ChainName): void {
  batch.add({
    operation: `flush chain ${chainText(name)}`,
    type: NFT_MSG_DELRULE,
    flags: 0,
    family: familyNumber(name.family),
    attributes: nameAttributes(name),
  });
}

/** The rules of a chain, in order; none when it, or its table, is not there. Throws as Nftables.dump does. */
export function listRules(nftables: Nftables, name: ChainName): Rule[] {
  return nftables
    .dumpIfThere({
      operation: `list rules of ${chainText(name)}`,
      type: NFT_MSG_GETRULE,
      family: familyNumber(name.family),
      attributes: nameAttributes(name),
    })
    .map(({ payload }) => decodeRule(payload));
}

/** Undefined when the rule is not there, or its chain. Throws as Nftables.find does. */
export function findRule(nftables: Nftables, rule: ChainName & { handle: number }): Rule | undefined {
  const [found] = nftables.find({
    operation: `get rule ${rule.handle} of ${chainText(rule)}`,
    type: NFT_MSG_GETRULE,
    family: familyNumber(rule.family),
    attributes: [...nameAttributes(rule), be64Attribute(NFTA_RULE_HANDLE, rule.handle)],
  });
  return found === undefined ? undefined : decodeRule(found.payload);
}

/** The rules of all chains of a table, those of each chain in order; none when it is not there. Throws as Nftables.dump does. */
export function listTableRules(nftables: Nftables, table: TableName): Rule[] {
  return nftables
    .dumpIfThere({
      operation: `list rules of ${tableText(table)}`,
      type: NFT_MSG_GETRULE,
      family: familyNumber(table.family),
      attributes: [stringAttribute(NFTA_RULE_TABLE, table.table)],
    })
    .map(({ payload }) => decodeRule(payload));
}

/** Decodes NFT_MSG_NEWRULE: struct nfgenmsg and NFTA_RULE_*. Throws MalformedMessageError. */
export function decodeRule(payload: Buffer): Rule {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_RULE_TABLE);
  const chain = attributes.string(NFTA_RULE_CHAIN);
  if (table === undefined || chain === undefined) throw new MalformedMessageError('rule without a chain');
  const userData = attributes.bytes(NFTA_RULE_USERDATA);
  return present<Rule>({
    family: familyOf(family),
    table,
    chain,
    handle: be64(attributes, NFTA_RULE_HANDLE) ?? 0,
    expressions: decodeExpressions(attributes.bytes(NFTA_RULE_EXPRESSIONS) ?? Buffer.alloc(0)),
    comment: commentOf(userData),
    userData,
  });
}

function nameAttributes({ table, chain }: ChainName): Buffer[] {
  return [stringAttribute(NFTA_RULE_TABLE, table), stringAttribute(NFTA_RULE_CHAIN, chain)];
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;
const NFT_MSG_DELRULE = 8;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_USERDATA = 7;

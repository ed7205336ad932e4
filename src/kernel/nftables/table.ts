import { attribute, present, stringAttribute } from '../netlink/attribute.ts';
import { be32, be32Attribute, be64 } from '../netlink/big-endian.ts';
import { MalformedMessageError, NLM_F_CREATE } from '../netlink/message.ts';
import { decodeNetfilterPayload } from '../netlink/nfgenmsg.ts';
import type { Batch } from './batch.ts';
import { type Family, familyNumber, familyOf, NFPROTO_UNSPEC } from './family.ts';
import type { Nftables } from './socket.ts';
import { commentOf, commentUserData } from './user-data.ts';

/** What names a table. */
export interface TableName {
  family: Family;
  table: string;
}

/** A table, as `nft list tables` shows it. */
export interface Table extends TableName {
  handle: number;
  comment?: string;
  /** NFTA_TABLE_OWNER: the netlink port ID, mostly a process ID, of the only one who may change it (flag `owner`). */
  owner?: number;
}

/** `inet cni_debug` */
export const tableText = ({ family, table }: TableName): string => `${family} ${table}`;

/**
 * Adds a table; one that is there stays as it is. One that is `owned` is changed by nobody else than the socket that
 * made it, and goes away with that, however its process ends (NFT_TABLE_F_OWNER, since Linux 5.12; EOPNOTSUPP before).
 */
export function addTable(
  batch: Batch,
  name: TableName,
  comment?: string,
  { owned = false }: { owned?: boolean } = {},
): void {
  const userData = commentUserData(comment);
  batch.add({
    operation: `add table ${tableText(name)}`,
    type: NFT_MSG_NEWTABLE,
    flags: NLM_F_CREATE,
    family: familyNumber(name.family),
    attributes: [
      stringAttribute(NFTA_TABLE_NAME, name.table),
      be32Attribute(NFTA_TABLE_FLAGS, owned ? NFT_TABLE_F_OWNER : 0),
      ...(userData === undefined ? [] : [attribute(NFTA_TABLE_USERDATA, userData)]),
    ],
  });
}

/** Deletes a table and all that is in it; ENOENT when it is not there. */
export function deleteTable(batch: Batch, name: TableName): void {
  batch.add({
    operation: `delete table ${tableText(name)}`,
    type: NFT_MSG_DELTABLE,
    flags: 0,
    family: familyNumber(name.family),
    attributes: [stringAttribute(NFTA_TABLE_NAME, name.table)],
  });
}

/** All tables in the socket's namespace. Throws as Nftables.dump does. */
export function listTables(nftables: Nftables): Table[] {
  return nftables
    .dump({ operation: 'list tables', type: NFT_MSG_GETTABLE, family: NFPROTO_UNSPEC, attributes: [] })
    .map(({ payload }) => decodeTable(payload));
}

/** Undefined when there is no such table. Throws as Nftables.find does. */
export function findTable(nftables: Nftables, name: TableName): Table | undefined {
  const [found] = nftables.find({
    operation: `get table ${tableText(name)}`,
    type: NFT_MSG_GETTABLE,
    family: familyNumber(name.family),
    attributes: [stringAttribute(NFTA_TABLE_NAME, name.table)],
  });
  return found === undefined ? undefined : decodeTable(found.payload);
}

/** Decodes NFT_MSG_NEWTABLE: struct nfgenmsg and NFTA_TABLE_*. Throws MalformedMessageError. */
export function decodeTable(payload: Buffer): Table {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_TABLE_NAME);
  if (table === undefined) throw new MalformedMessageError('table without a name');
  return present<Table>({
    family: familyOf(family),
    table,
    handle: be64(attributes, NFTA_TABLE_HANDLE) ?? 0,
    comment: commentOf(attributes.bytes(NFTA_TABLE_USERDATA)),
    owner: be32(attributes, NFTA_TABLE_OWNER),
  });
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
const NFTA_TABLE_HANDLE = 4;
const NFTA_TABLE_USERDATA = 6;
const NFTA_TABLE_OWNER = 7;
/** enum nft_table_flags */
const NFT_TABLE_F_OWNER = 1 << 1;

import { attribute, nested, present, stringAttribute } from '../netlink/attribute.ts';
import { be32, be32Attribute, be64 } from '../netlink/big-endian.ts';
import { MalformedMessageError, NLM_F_CREATE } from '../netlink/message.ts';
import { decodeNetfilterPayload } from '../netlink/nfgenmsg.ts';
import type { Batch } from './batch.ts';
import { byteOrder, type DataType, lengthOf, typeNumber, typesOf } from './data-type.ts';
import { familyNumber, familyOf, NFPROTO_UNSPEC } from './family.ts';
import type { Nftables } from './socket.ts';
import { type TableName, tableText } from './table.ts';
import { commentOf, commentValue, encodeUserData } from './user-data.ts';

/** What names a set, and its types, which elements cannot be read or written without. */
export interface SetType extends TableName {
  set: string;
  /** More than one is a concatenation: `ipv4_addr . inet_proto . inet_service`. */
  key: readonly DataType[];
  /** What makes a map of it: a verdict, or the types of a value. */
  data?: 'verdict' | readonly DataType[];
}

/** A set or a map, as `nft list sets` and `nft list maps` show it; its types are absent where we do not know them. */
export interface NftSet extends TableName {
  set: string;
  handle: number;
  key?: readonly DataType[];
  data?: 'verdict' | readonly DataType[];
  /** NFT_SET_INTERVAL: elements are ranges. */
  interval: boolean;
  comment?: string;
}

/** `map inet cni_debug masquerade4` */
export const setText = ({ set, data, ...table }: Pick<SetType, 'set' | 'data' | keyof TableName>): string =>
  `${data === undefined ? 'set' : 'map'} ${tableText(table)} ${set}`;

/** Adds a set or map; one that is there stays as it is, and EEXIST when it has other types. */
export function addSet(
  batch: Batch,
  type: SetType,
  { comment, interval = false }: { comment?: string; interval?: boolean } = {},
): void {
  const concatenated = interval && type.key.length > 1;
  const flags =
    (type.data === undefined ? 0 : NFT_SET_MAP) |
    (interval ? NFT_SET_INTERVAL : 0) |
    (concatenated ? NFT_SET_CONCAT : 0);
  batch.add({
    operation: `add ${setText(type)}`,
    type: NFT_MSG_NEWSET,
    flags: NLM_F_CREATE,
    family: familyNumber(type.family),
    attributes: [
      ...setName(type),
      be32Attribute(NFTA_SET_FLAGS, flags),
      be32Attribute(NFTA_SET_KEY_TYPE, typeNumber(type.key)),
      be32Attribute(NFTA_SET_KEY_LEN, lengthOf(type.key)),
      ...dataAttributes(type.data),
      be32Attribute(NFTA_SET_ID, batch.nextSetId()),
      ...(concatenated ? [concatenation(type.key)] : []),
      attribute(NFTA_SET_USERDATA, userData(type, comment)),
    ],
  });
}

/** Deletes a set; ENOENT when it is not there, EBUSY when a rule looks into it. */
export function deleteSet(batch: Batch, type: SetType): void {
  batch.add({
    operation: `delete ${setText(type)}`,
    type: NFT_MSG_DELSET,
    flags: 0,
    family: familyNumber(type.family),
    attributes: setName(type),
  });
}

/** All sets and maps in the socket's namespace. Throws as Nftables.dump does. */
export function listSets(nftables: Nftables): NftSet[] {
  return nftables
    .dump({ operation: 'list sets', type: NFT_MSG_GETSET, family: NFPROTO_UNSPEC, attributes: [] })
    .map(({ payload }) => decodeSet(payload));
}

/** Decodes NFT_MSG_NEWSET: struct nfgenmsg and NFTA_SET_*. Throws MalformedMessageError. */
export function decodeSet(payload: Buffer): NftSet {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_SET_TABLE);
  const set = attributes.string(NFTA_SET_NAME);
  if (table === undefined || set === undefined) throw new MalformedMessageError('set without a name');
  const flags = be32(attributes, NFTA_SET_FLAGS) ?? 0;
  const dataType = be32(attributes, NFTA_SET_DATA_TYPE);
  const isMap = (flags & NFT_SET_MAP) !== 0;
  return present<NftSet>({
    family: familyOf(family),
    table,
    set,
    handle: be64(attributes, NFTA_SET_HANDLE) ?? 0,
    key: typesOf(be32(attributes, NFTA_SET_KEY_TYPE) ?? 0),
    data: !isMap ? undefined : dataType === NFT_DATA_VERDICT ? 'verdict' : typesOf(dataType ?? 0),
    interval: (flags & NFT_SET_INTERVAL) !== 0,
    comment: commentOf(attributes.bytes(NFTA_SET_USERDATA), NFTNL_UDATA_SET_COMMENT),
  });
}

/** NFTA_SET_TABLE and NFTA_SET_NAME, which NFTA_SET_ELEM_LIST_TABLE and _SET are equal to. */
export function setName({ table, set }: Pick<SetType, 'table' | 'set'>): Buffer[] {
  return [stringAttribute(NFTA_SET_TABLE, table), stringAttribute(NFTA_SET_NAME, set)];
}

function dataAttributes(data: SetType['data']): Buffer[] {
  if (data === undefined) return [];
  const [type, length] = data === 'verdict' ? [NFT_DATA_VERDICT, 0] : [typeNumber(data), lengthOf(data)];
  // The kernel wants no length of verdicts, and nft sends 0.
  return [be32Attribute(NFTA_SET_DATA_TYPE, type), be32Attribute(NFTA_SET_DATA_LEN, length)];
}

/** NFTA_SET_DESC_CONCAT: the length of each field, without which ranges of concatenations cannot be compared. */
function concatenation(key: readonly DataType[]): Buffer {
  const fields = key.map((type) =>
    nested(NFTA_LIST_ELEM, be32Attribute(NFTA_SET_FIELD_LEN, lengthOf([type]))),
  );
  return nested(NFTA_SET_DESC, nested(NFTA_SET_DESC_CONCAT, ...fields));
}

/** What nft needs to show the elements as they were written. */
function userData({ key, data }: SetType, comment: string | undefined): Buffer {
  const values = new Map([[NFTNL_UDATA_SET_KEYBYTEORDER, u32(byteOrder(key))]]);
  if (data !== undefined) {
    values.set(NFTNL_UDATA_SET_DATABYTEORDER, u32(data === 'verdict' ? 0 : byteOrder(data)));
    values.set(NFTNL_UDATA_SET_DATA_INTERVAL, u32(0));
  }
  if (comment !== undefined) values.set(NFTNL_UDATA_SET_COMMENT, commentValue(comment));
  return encodeUserData(values);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFT_MSG_NEWSET = 9;
const NFT_MSG_GETSET = 10;
const NFT_MSG_DELSET = 11;
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_DESC = 9;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_HANDLE = 16;
const NFTA_SET_DESC_CONCAT = 2;
const NFTA_SET_FIELD_LEN = 1;
const NFTA_LIST_ELEM = 1;
const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_CONCAT = 0x80;
const NFT_DATA_VERDICT = 0xffff_ff00;

/** enum nftnl_udata_set_types of libnftnl's udata.h */
const NFTNL_UDATA_SET_KEYBYTEORDER = 0;
const NFTNL_UDATA_SET_DATABYTEORDER = 1;
const NFTNL_UDATA_SET_DATA_INTERVAL = 6;
const NFTNL_UDATA_SET_COMMENT = 7;

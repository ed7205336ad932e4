import { Attributes } from '../netlink/attribute.ts';
import { attributeList } from '../netlink/attribute-list.ts';
import { be32 } from '../netlink/big-endian.ts';
import { MalformedMessageError } from '../netlink/message.ts';
import { decodeNetfilterPayload } from '../netlink/nfgenmsg.ts';
import { type DataType, decodeFields, fieldsText } from './data-type.ts';
import { NFTA_DATA_VALUE } from './data-value.ts';
import type { NftSet } from './set.ts';
import { commentOf } from './user-data.ts';
import { decodeVerdict, verdictText } from './verdict.ts';

/** An element of anybody's set, for reading: bytes of types that we do not know are in hexadecimal. */
export interface ElementText {
  /** `tcp . 8080`; of a range `10.0.0.0 - 10.0.0.255`, or its first address. */
  key: string;
  /** What a map has for it: `10.22.0.5 . 80`, `jump web`. */
  data?: string;
  comment?: string;
}

/** Which set the elements of NFT_MSG_NEWSETELEM are of. Throws MalformedMessageError. */
export function setOfElements(payload: Buffer): { family: number; table: string; set: string } {
  const { family, attributes } = decodeNetfilterPayload(payload);
  const table = attributes.string(NFTA_SET_ELEM_LIST_TABLE);
  const set = attributes.string(NFTA_SET_ELEM_LIST_SET);
  if (table === undefined || set === undefined) throw new MalformedMessageError('elements without a set');
  return { family, table, set };
}

/** The elements in NFT_MSG_NEWSETELEM; `set` is absent where its types are not known. Throws MalformedMessageError. */
export function elementTexts(set: NftSet | undefined, payload: Buffer): ElementText[] {
  const list = decodeNetfilterPayload(payload).attributes.bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
  if (list === undefined) return [];
  return attributeList(list, NFTA_LIST_ELEM).flatMap((bytes) => {
    const attributes = new Attributes(bytes);
    // The first value behind a range, in sets that keep ranges so.
    if (((be32(attributes, NFTA_SET_ELEM_FLAGS) ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0) return [];
    const element: ElementText = { key: keyText(set, attributes) };
    const data = attributes.nested(NFTA_SET_ELEM_DATA);
    if (data !== undefined) element.data = dataText(set, data);
    const comment = commentOf(attributes.bytes(NFTA_SET_ELEM_USERDATA));
    if (comment !== undefined) element.comment = comment;
    return [element];
  });
}

function keyText(set: NftSet | undefined, attributes: Attributes): string {
  const [start, end] = [NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END].map((type) =>
    attributes.nested(type)?.bytes(NFTA_DATA_VALUE),
  );
  // An element for all that no other one is for.
  if (start === undefined) return '*';
  const text = valueText(set?.key, start);
  return end === undefined || end.equals(start) ? text : `${text} - ${valueText(set?.key, end)}`;
}

function dataText(set: NftSet | undefined, data: Attributes): string {
  const verdict = decodeVerdict(data);
  if (verdict !== undefined) return verdictText(verdict);
  const types = set?.data === 'verdict' ? undefined : set?.data;
  return valueText(types, data.bytes(NFTA_DATA_VALUE) ?? Buffer.alloc(0));
}

function valueText(types: readonly DataType[] | undefined, value: Buffer): string {
  if (types === undefined || types.length === 0) return `0x${value.toString('hex')}`;
  try {
    return fieldsText(types, decodeFields(types, value));
  } catch (error) {
    if (error instanceof MalformedMessageError) return `0x${value.toString('hex')}`;
    throw error;
  }
}

/** include/uapi/linux/netfilter/nf_tables.h */
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_SET_ELEM_KEY_END = 10;
const NFT_SET_ELEM_INTERVAL_END = 1;

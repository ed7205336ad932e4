import { EINTR } from '../errno.ts';
import { Attributes, attribute, nested } from '../netlink/attribute.ts';
import { attributeList } from '../netlink/attribute-list.ts';
import { MalformedMessageError, NLM_F_CREATE, NLM_F_EXCL } from '../netlink/message.ts';
import { NetlinkError } from '../netlink/netlink-error.ts';
import { decodeNetfilterPayload, SIZEOF_NFGENMSG } from '../netlink/nfgenmsg.ts';
import type { Batch } from './batch.ts';
import { decodeFields, encodeFields, type Fields, fieldsText } from './data-type.ts';
import { encodeValue, NFTA_DATA_VALUE } from './data-value.ts';
import { familyNumber } from './family.ts';
import { type SetType, setName, setText } from './set.ts';
import type { Nftables } from './socket.ts';
import { commentOf, commentUserData } from './user-data.ts';
import { decodeVerdict, encodeVerdict, type Verdict } from './verdict.ts';

/** An element of a set, or of a map. */
export interface Element {
  key: Fields;
  /** What a map has for the key: a verdict, or a value. */
  data?: Verdict | Fields;
  /** At most 128 bytes. */
  comment?: string;
}

/**
 * Adds elements, which are EEXIST when the key is there. Without `exclusive` a key that is there with the same data
 * stays as it is, with the comment that it has. As many messages as needed: a list has room for 64 KiB.
 */
export function addElements(
  batch: Batch,
  set: SetType,
  elements: readonly Element[],
  { exclusive = true }: { exclusive?: boolean } = {},
): void {
  const flags = NLM_F_CREATE | (exclusive ? NLM_F_EXCL : 0);
  const encoded = elements.map((element) => encodeElement(set, element));
  addLists(batch, set, 'add', 'to', NFT_MSG_NEWSETELEM, flags, elements, encoded);
}

/** Deletes elements by key; ENOENT when one is not there. */
export function deleteElements(batch: Batch, set: SetType, keys: readonly Fields[]): void {
  const encoded = keys.map((key) => encodeElement(set, { key }));
  const elements = keys.map((key) => ({ key }));
  addLists(batch, set, 'delete', 'from', NFT_MSG_DELSETELEM, 0, elements, encoded);
}

/** Deletes all elements. */
export function flushSet(batch: Batch, set: SetType): void {
  batch.add({
    operation: `flush ${setText(set)}`,
    type: NFT_MSG_DELSETELEM,
    flags: 0,
    family: familyNumber(set.family),
    attributes: setName(set),
  });
}

/**
 * All elements, or those that have `comment` in them; none when the set, or its table, is not there. Only these are decoded:
 * of thousands that takes longer than to list them. Throws as Nftables.dump does, NetlinkError (EINTR) when the kernel
 * moved them about during each attempt.
 */
export function listElements(nftables: Nftables, set: SetType, comment = ''): Element[] {
  const operation = `list ${setText(set)}`;
  const query = { type: NFT_MSG_GETSETELEM, family: familyNumber(set.family), attributes: setName(set) };
  for (let attempt = 1; attempt <= LIST_ATTEMPTS; attempt++) {
    const elements = nftables
      .dumpIfThere({ operation, ...query })
      .flatMap(({ payload }) => elementsIn(payload));
    if (areDistinct(elements)) {
      const wanted = elements.filter((bytes) => bytes.includes(comment));
      return wanted.map((bytes) => decodeElement(set, new Attributes(bytes)));
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, attempt);
  }
  throw new NetlinkError(operation, EINTR, `changed during each of ${LIST_ATTEMPTS} attempts`);
}

const LIST_ATTEMPTS = 16;

/**
 * A set that has grown fast is given a larger table in the background, which is no change of generation; a dump of
 * several datagrams then has some elements twice, and as many others not at all.
 */
function areDistinct(elements: readonly Buffer[]): boolean {
  return new Set(elements.map((bytes) => bytes.toString('latin1'))).size === elements.length;
}

/** The element with this key; undefined when it, or the set, is not there. Throws as Nftables.find does. */
export function findElement(nftables: Nftables, set: SetType, key: Fields): Element | undefined {
  const list = nested(NFTA_SET_ELEM_LIST_ELEMENTS, encodeElement(set, { key }));
  const [found] = nftables.find({
    operation: `get ${elementText(set, { key })} from ${setText(set)}`,
    type: NFT_MSG_GETSETELEM,
    family: familyNumber(set.family),
    attributes: [...setName(set), list],
  });
  return found === undefined ? undefined : decodeElements(set, found.payload)[0];
}

/** Decodes NFT_MSG_NEWSETELEM: struct nfgenmsg and NFTA_SET_ELEM_LIST_*. Throws MalformedMessageError. */
export function decodeElements(set: SetType, payload: Buffer): Element[] {
  return elementsIn(payload).map((bytes) => decodeElement(set, new Attributes(bytes)));
}

function elementsIn(payload: Buffer): Buffer[] {
  const list = decodeNetfilterPayload(payload).attributes.bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
  return list === undefined ? [] : attributeList(list, NFTA_LIST_ELEM);
}

/** `element 10.22.0.5 . tcp . 80` */
export function elementText(set: SetType, { key }: Element): string {
  return `element ${fieldsText(set.key, key)}`;
}

function decodeElement(set: SetType, attributes: Attributes): Element {
  const key = attributes.nested(NFTA_SET_ELEM_KEY)?.bytes(NFTA_DATA_VALUE);
  if (key === undefined) throw new MalformedMessageError('element without a key');
  const element: Element = { key: decodeFields(set.key, key) };
  const data = attributes.nested(NFTA_SET_ELEM_DATA);
  if (data !== undefined) {
    const value = data.bytes(NFTA_DATA_VALUE);
    const content = decodeVerdict(data) ?? (value && decodeFields(dataTypes(set), value));
    if (content !== undefined) element.data = content;
  }
  const comment = commentOf(attributes.bytes(NFTA_SET_ELEM_USERDATA));
  if (comment !== undefined) element.comment = comment;
  return element;
}

function encodeElement(set: SetType, { key, data, comment }: Element): Buffer {
  const userData = commentUserData(comment);
  return nested(
    NFTA_LIST_ELEM,
    encodeValue(NFTA_SET_ELEM_KEY, encodeFields(set.key, key)),
    ...(data === undefined ? [] : [encodeData(set, data)]),
    ...(userData === undefined ? [] : [attribute(NFTA_SET_ELEM_USERDATA, userData)]),
  );
}

function encodeData(set: SetType, data: Verdict | Fields): Buffer {
  return 'kind' in data
    ? nested(NFTA_SET_ELEM_DATA, encodeVerdict(data))
    : encodeValue(NFTA_SET_ELEM_DATA, encodeFields(dataTypes(set), data));
}

function dataTypes({ data }: SetType): NonNullable<Exclude<SetType['data'], 'verdict'>> {
  return data === undefined || data === 'verdict' ? [] : data;
}

/** Puts as many elements into each message as there is room for in one attribute. */
function addLists(
  batch: Batch,
  set: SetType,
  verb: string,
  preposition: string,
  type: number,
  flags: number,
  elements: readonly Element[],
  encoded: readonly Buffer[],
): void {
  for (let start = 0; start < elements.length; ) {
    const first = start;
    let size = 0;
    for (; start < encoded.length; start++) {
      const length = encoded[start]?.length ?? 0;
      if (size > 0 && size + length > LIST_LIMIT) break;
      size += length;
    }
    const part = encoded.slice(first, start);
    const name = setName(set);
    const words = (what: string): string => `${verb} ${what} ${preposition} ${setText(set)}`;
    const [only] = elements.slice(first, start);
    batch.add({
      operation: words(part.length === 1 && only ? elementText(set, only) : `${part.length} elements`),
      type,
      flags,
      family: familyNumber(set.family),
      attributes: [...name, nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...part)],
      operationAt: (offset) => {
        // struct nlmsghdr, struct nfgenmsg, the set's name, and the list's own header.
        let end = NLMSG_HDRLEN + SIZEOF_NFGENMSG + Buffer.concat(name).length + NLA_HDRLEN;
        if (offset < end) return undefined;
        const at = part.findIndex((bytes) => {
          end += bytes.length;
          return offset < end;
        });
        const element = at < 0 ? undefined : elements[first + at];
        return element && words(elementText(set, element));
      },
    });
  }
}

/** nla_len has two bytes; nft stays as far below. */
const LIST_LIMIT = 60_000;

/** include/uapi/linux/netlink.h and include/uapi/linux/netfilter/nf_tables.h */
const NLMSG_HDRLEN = 16;
const NLA_HDRLEN = 4;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_USERDATA = 6;

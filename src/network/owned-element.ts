import { EINVAL } from '../kernel/errno.ts';
import { NetlinkError } from '../kernel/netlink/netlink-error.ts';
import type { Batch } from '../kernel/nftables/batch.ts';
import { type Fields, fieldsText } from '../kernel/nftables/data-type.ts';
import {
  addElements,
  deleteElements,
  type Element,
  findElement,
  listElements,
} from '../kernel/nftables/element.ts';
import type { SetType } from '../kernel/nftables/set.ts';
import type { Nftables } from '../kernel/nftables/socket.ts';
import { COMMENT_LIMIT } from '../kernel/nftables/user-data.ts';
import { type Attachment, networkHash, ownerHash, ownerText, parseOwner } from './attachment.ts';
import type { PresentNat } from './present-nat.ts';
import type { Look } from './ruleset.ts';

/** An element of one of our sets that an attachment has; its comment says which. */
export interface OwnedElement {
  readonly set: SetType;
  readonly key: Fields;
  readonly data?: Element['data'];
}

/**
 * Adds elements of an attachment. One that is there for the same attachment stays, and another's is replaced, unless
 * `judge` throws: else the caller holds the lease of the address, or has made the link, that the key is of. It looks
 * first, though the kernel would say EEXIST: to take back a batch it waits for all processors, and lets nobody else
 * change nftables meanwhile.
 */
export function writeOwned(
  batch: Batch,
  look: Look,
  owner: Attachment,
  elements: readonly OwnedElement[],
  judge: (found: FoundElement) => void = () => {},
): void {
  for (const { set, key, data } of elements) {
    const found = findIfOurs(look.nftables, set, key);
    const element = { key, comment: elementComment(owner), ...(data === undefined ? {} : { data }) };
    if (found !== undefined) {
      look.guard();
      const isOwn = isOwnedBy(found, owner);
      if (isOwn && sameData(found.data, data)) continue;
      if (!isOwn) judge({ set, element: found });
      deleteElements(batch, set, [key]);
    }
    addElements(batch, set, [element]);
  }
}

/** In a set of other types, which another program made, the key makes no sense; the batch will fail to add our set. */
function findIfOurs(nftables: Nftables, set: SetType, key: Fields): Element | undefined {
  try {
    return findElement(nftables, set, key);
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === EINVAL) return undefined;
    throw error;
  }
}

/** What an attachment has in these sets. */
export interface FoundElement {
  readonly set: SetType;
  readonly element: Element;
}

/**
 * The elements of an attachment. `hint` says which keys it should have; the sets are listed as a whole without a hint,
 * and when one of these is not there for it.
 */
export function ownedElements(
  nftables: Nftables,
  sets: readonly SetType[],
  owner: Attachment,
  hint: readonly OwnedElement[],
): FoundElement[] {
  const isOwn = ({ element }: FoundElement): boolean => isOwnedBy(element, owner);
  const hinted = hint.flatMap(({ set, key }) => {
    const element = findElement(nftables, set, key);
    return element === undefined ? [] : [{ set, element }];
  });
  const own = hinted.filter(isOwn);
  if (hint.length > 0 && own.length === hint.length) return own;
  return allElements(nftables, sets, `-${ownerHash(owner)} `).filter(isOwn);
}

/** The elements whose comment claims the network and none of the attachments: what GC removes. */
export function orphanedElements(
  nftables: Nftables,
  sets: readonly SetType[],
  network: string,
  valid: readonly Attachment[],
): FoundElement[] {
  const hashes = new Set(valid.map(ownerHash));
  const wanted = networkHash(network);
  return allElements(nftables, sets, `${wanted}-`).filter(({ element }) => {
    const owner = parseOwner(element.comment ?? '');
    return owner?.networkHash === wanted && !hashes.has(owner.ownerHash);
  });
}

function allElements(nftables: Nftables, sets: readonly SetType[], comment: string): FoundElement[] {
  return sets.flatMap((set) => listElements(nftables, set, comment).map((element) => ({ set, element })));
}

/** For CHECK: what is missing of an element, in words; undefined when it is there as it should be. */
export function complaintOf(
  present: PresentNat,
  owner: Attachment,
  { set, key, data }: OwnedElement,
): string | undefined {
  const found = present.find(set, key);
  const what = `element ${fieldsText(set.key, key)} of ${set.family} ${set.table} ${set.set}`;
  if (found === undefined) return `${what} is missing`;
  if (!isOwnedBy(found, owner)) return `${what} belongs to another: ${JSON.stringify(found.comment ?? '')}`;
  return sameData(found.data, data) ? undefined : `${what} leads elsewhere than it should`;
}

/** A comment in nft's language is in quotes, with no way to write one inside. */
export function elementComment(owner: Attachment): string {
  return ownerText(owner, COMMENT_LIMIT).replace(/["\\]/g, '?');
}

export function isOwnedBy({ comment = '' }: Element, owner: Attachment): boolean {
  return parseOwner(comment)?.ownerHash === ownerHash(owner);
}

function sameData(one: Element['data'], other: Element['data']): boolean {
  return dataText(one) === dataText(other);
}

function dataText(data: Element['data']): string {
  if (data === undefined) return '';
  if ('kind' in data) return JSON.stringify(data);
  return data.map((field) => Buffer.from(field).toString('hex')).join('.');
}

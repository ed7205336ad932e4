import { type Attachment, networkHash, ownerHash } from '../../network/attachment.ts';
import type { KnownAttachment } from '../../node/every-attachment.ts';
import { Survey } from '../survey.ts';
import { addressHolders } from './address-holders.ts';

/**
 * The attachments whose things must be left alone: those that are young or live, those whose namespace is there without the
 * interface, and those of which nobody says where they are, as long as a namespace has an address of theirs. Of all
 * networks, whatever `--network` says.
 */
export function knownOwners(survey: Survey): readonly KnownAttachment[] {
  return survey.once('known owners', 'attachments', () => {
    const whole = wholeNode(survey);
    return whole.attachments().filter((one) => isHere(whole, one));
  });
}

/** The hashes that our own things have of these. */
export function knownHashes(survey: Survey): ReadonlySet<string> {
  return survey.once('known hashes', 'attachments', () => new Set(knownOwners(survey).map(ownerHash)));
}

/** Whether any namespace but the node's own has the address, with or without a prefix length. */
export function isHeld(survey: Survey, address: string): boolean {
  const [bare = ''] = address.split('/');
  return addressHolders(survey).has(bare);
}

/** `concerns` for who is known by a hash only. */
export function concernsHash({ settings: { network } }: Survey, hash: string): boolean {
  return network === undefined || networkHash(network) === hash;
}

/** The findings that explain why something of these is still there: their DEL was never done, or not to its end. */
export function reasonsFor(owners: readonly Attachment[]): { id: string; object: string }[] {
  const networks = new Set(owners.map(({ network }) => `network ${network}`));
  const containers = new Set(owners.map(({ containerID, ifName }) => `container ${containerID} ${ifName}`));
  return [...networks, ...containers].map((object) => ({ id: 'D006', object }));
}

function isHere(survey: Survey, { state, netns, addresses, since }: KnownAttachment): boolean {
  // Its DEL may be about to come.
  if (!survey.isSettled(new Date(since))) return true;
  if (state !== 'unknown') return state !== 'gone';
  // Of one that cannot be looked at nothing is known.
  return netns !== '' || addresses.some((address) => isHeld(survey, address));
}

function wholeNode(survey: Survey): Survey {
  if (survey.settings.network === undefined) return survey;
  return survey.once(
    'whole node',
    'attachments',
    () => new Survey({ ...survey.settings, network: undefined }),
  );
}

import { digest } from './digest.ts';

/** One interface of one container in one network: what everything that we make belongs to. */
export interface Attachment {
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
}

/** Tells attachments apart where there is no room for their names: 22 hex digits. */
export function ownerHash({ network, containerID, ifName }: Attachment): string {
  return hashOf([network, containerID, ifName]);
}

/** The same for all attachments of a network. */
export function networkHash(network: string): string {
  return hashOf([network]);
}

/** The host's end of the veth pair: `veth` and 11 hex digits, which fill the 15 bytes of a name. */
export function hostVethName(attachment: Attachment): string {
  return `veth${ownerHash(attachment).slice(0, 11)}`;
}

/**
 * Who owns a link or an element of nftables, in at most `limit` bytes: hashes of network and attachment, which decide,
 * and then as much of their names as there is room for, which tell a person.
 */
export function ownerText(attachment: Attachment, limit: number): string {
  const { network, containerID, ifName } = attachment;
  const hashes = `${networkHash(network)}-${ownerHash(attachment)}`;
  // One byte a character: a name of an interface may have others, and is only for reading here.
  return `${hashes} ${network} ${ifName} ${containerID}`.replace(/[^ -~]/g, '?').slice(0, limit);
}

/** What `ownerText` says, for comparing. */
export interface OwnerHashes {
  readonly networkHash: string;
  readonly ownerHash: string;
}

/** Who owns a link, as its alias says it. IFALIASZ of include/uapi/linux/if.h is 256, with the NUL. */
export function ownerAlias(attachment: Attachment): string {
  return ownerText(attachment, 255);
}

/** What `ownerText` begins with; undefined for a text that somebody else wrote. */
export function parseOwner(text: string): OwnerHashes | undefined {
  const [, networkHash, ownerHash] = /^([0-9a-f]{22})-([0-9a-f]{22}) /.exec(text) ?? [];
  return networkHash === undefined || ownerHash === undefined ? undefined : { networkHash, ownerHash };
}

/** The names behind that, for a person: the last ones may be cut, or missing. */
export function ownerNames(text: string): Attachment {
  const [, network = '?', ifName = '?', containerID = '?'] = text.split(' ');
  return { network, containerID, ifName };
}

/** No name has a NUL, so no two lists of names have one text. */
function hashOf(names: readonly string[]): string {
  return digest('sha256', names.join('\0')).slice(0, 22);
}

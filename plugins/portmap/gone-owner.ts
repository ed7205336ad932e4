import type { Ip } from '../../src/cni/address.ts';
import { defaultDataDir } from '../../src/ipam/host-local-settings.ts';
import { LeaseFiles } from '../../src/ipam/lease-files.ts';
import { networkHash, ownerHash, ownerNames, parseOwner } from '../../src/network/attachment.ts';

/**
 * Whether the attachment that a comment names has lost its address: host-local has it in no file, or in one that says
 * another owner. Where leases are kept elsewhere, or by another plugin, that is not to be known, and it is taken to live.
 */
export function isGone(comment: string, address: Ip): boolean {
  const hashes = parseOwner(comment);
  const { network, containerID: known } = ownerNames(comment);
  // Of a long name the end is missing.
  if (hashes === undefined || networkHash(network) !== hashes.networkHash) return false;
  const files = new LeaseFiles(`${defaultDataDir}/${network}`);
  if (!files.exists()) return false;
  const [containerID = '', ifName] = (files.read(address) ?? '').split('\r\n');
  // A file of old times does not say which interface.
  if (ifName === undefined) return containerID === '' || !containerID.startsWith(known);
  return ownerHash({ network, containerID, ifName }) !== hashes.ownerHash;
}

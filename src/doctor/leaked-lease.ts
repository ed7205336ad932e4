import type { Lease } from '../ipam/lease-listing.ts';
import type { KnownAttachment } from '../node/every-attachment.ts';
import { addressHolders } from './address-holders.ts';
import type { Survey } from './survey.ts';

/**
 * Its container is gone as a cache or a record says, or nobody knows it; and no namespace of this node has the address:
 * without that a lease of a runtime that keeps no cache would be blamed.
 */
export function isLeaked(lease: Lease, survey: Survey): boolean {
  const owners = survey.attachments().filter((one) => isOwner(one, lease));
  if (owners.some(({ state }) => state === 'alive' || state === 'no-interface')) return false;
  return addressHolders(survey).get(lease.address) === undefined;
}

/** A lease of old times does not say its interface. */
function isOwner({ network, containerID, ifName }: KnownAttachment, lease: Lease): boolean {
  const isSame = network === lease.network && containerID === lease.containerID;
  return isSame && (lease.ifName === undefined || ifName === lease.ifName);
}

import type { Reason } from '../../findings/finding.ts';
import type { Lease } from '../../ipam/lease-listing.ts';
import { shellWord } from '../../lint/shell-word.ts';
import type { KnownAttachment } from '../../node/every-attachment.ts';
import type { AttachmentKey } from '../../runtime/result-cache.ts';
import { addressHolders } from '../facts/address-holders.ts';
import { isBeforeBoot } from '../facts/boot.ts';
import { abandonedCaches } from '../facts/gone-container.ts';
import { isOutOfSight } from '../facts/hidden-peers.ts';
import { grouped } from '../grouped.ts';
import { freeLeases } from '../mends/free-leases.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const leasesWithoutOwner: Rule = {
  id: 'D001',
  name: 'leases-without-owner',
  severity: 'warning',
  summary: 'Addresses are leased to containers that are gone.',
  meaning: 'nobody else gets these addresses; when all are leased so, no pod of the network starts',
  *find(survey) {
    for (const [network, leases] of grouped(leakedLeases(survey), ({ network }) => network))
      yield found(network, leases, survey);
  },
};

/** Those that are older than the minimum age. */
export function leakedLeases(survey: Survey): readonly Lease[] {
  return survey.once('leaked leases', 'leases', () =>
    survey.leases().filter((lease) => survey.isSettled(lease.since) && isLeaked(lease, survey)),
  );
}

/**
 * Its container is gone as a cache or a record says, or nobody knows it; and no namespace of this node has the address, nor
 * may have it where it is not seen: without that a lease of a runtime that keeps no cache would be blamed.
 */
export function isLeaked(lease: Lease, survey: Survey): boolean {
  const owners = attachmentsOf(survey, lease).filter((one) => isOwner(one, lease));
  if (owners.some(({ state }) => state === 'alive' || state === 'no-interface')) return false;
  return !addressHolders(survey).has(lease.address) && !isOutOfSight(survey, lease);
}

/** Of its container: a pool may have tens of thousands of leases, and each of them is in the list of attachments. */
function attachmentsOf(survey: Survey, lease: Lease): readonly KnownAttachment[] {
  const byContainer = survey.once('attachments by container', 'attachments', () =>
    grouped(survey.attachments(), containerKey),
  );
  return byContainer.get(containerKey(lease)) ?? [];
}

function containerKey({ network, containerID }: Pick<Lease, 'network' | 'containerID'>): string {
  return `${network}\n${containerID}`;
}

/** A lease of old times does not say its interface. */
function isOwner({ network, containerID, ifName }: AttachmentKey, lease: Lease): boolean {
  const isSame = network === lease.network && containerID === lease.containerID;
  return isSame && (lease.ifName === undefined || ifName === lease.ifName);
}

function found(network: string, leases: readonly Lease[], survey: Survey): Draft {
  const [first] = leases;
  return {
    object: `network ${network}`,
    cause: `${leases.length} address${leases.length === 1 ? ' is' : 'es are'} leased to containers that are gone`,
    evidence: leases.slice(0, 3).map(({ path, containerID, ifName = '' }) => ({
      source: path,
      text: [containerID, ifName].filter(Boolean).join(' '),
    })),
    ...(first === undefined ? {} : { since: first.since }),
    fix: ['cni-debug doctor --fix', `cni-debug gc ${shellWord(network)}`],
    follows: reasons(network, leases, survey),
    mend: freeLeases(leases),
  };
}

/** Only what explains every one of them. */
function reasons(network: string, leases: readonly Lease[], survey: Survey): Reason[] {
  const cached = survey.each([survey], abandonedCaches).flat();
  const byContainer = grouped(cached, ({ entry }) => containerKey(entry.attachment));
  const isCached = (lease: Lease) =>
    byContainer.get(containerKey(lease))?.some(({ entry }) => isOwner(entry.attachment, lease)) ?? false;
  return [
    ...(leases.every(({ since }) => isBeforeBoot(survey, since)) ? [{ id: 'D013' }] : []),
    ...(leases.every(isCached) ? [{ id: 'D006', object: `network ${network}` }] : []),
    ...(leases.every(isCached) ? leases.map(containerOf) : []),
  ];
}

function containerOf({ containerID, ifName = '' }: Lease): Reason {
  return { id: 'D006', object: `container ${containerID} ${ifName}` };
}

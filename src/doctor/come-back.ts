import { existsSync } from 'node:fs';
import { parseIp } from '../cni/address.ts';
import { LeaseFiles } from '../ipam/lease-files.ts';
import type { Attachment } from '../network/attachment.ts';
import type { CallAtWork } from '../node/calls-at-work.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import { atWork } from './last-look.ts';
import type { Survey } from './survey.ts';

/**
 * What says that an owner, who was gone at the last look, has been attached again since then, as far as it is to be read in
 * a moment: a plugin at work, a cached attachment, a lease of one of the addresses. Throws SystemError.
 */
export function comeBack(
  survey: Survey,
  calls: readonly CallAtWork[],
  owner: Attachment,
  addresses: readonly string[],
): string | undefined {
  const { network, containerID, ifName } = owner;
  const cached = new ResultCache(survey.settings.cacheDir).pathOf(owner);
  return (
    atWork(calls, containerID, ifName) ??
    (existsSync(cached) && !isKnown(survey, cached) ? `${cached} was written meanwhile` : undefined) ??
    leaseOf(survey, network, containerID, addresses)
  );
}

/** Of one that was there at the last look that look has judged. */
function isKnown(survey: Survey, path: string): boolean {
  const { entries, refused } = survey.cache();
  return [...entries, ...refused].some((one) => one.path === path);
}

function leaseOf(
  survey: Survey,
  network: string,
  containerID: string,
  addresses: readonly string[],
): string | undefined {
  for (const folder of survey.dataDirs()) {
    const files = new LeaseFiles(`${folder}/${network}`);
    for (const ip of addresses.map(parseIp)) {
      const text = ip && files.read(ip);
      if (ip === undefined || text === undefined || !text.startsWith(containerID)) continue;
      const path = files.pathOf(ip);
      if (!survey.leases().some((lease) => lease.path === path)) return `${path} was written meanwhile`;
    }
  }
  return undefined;
}

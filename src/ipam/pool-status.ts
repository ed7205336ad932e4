import { existsSync } from 'node:fs';
import { formatCidr } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import type { Observer } from '../cni/observer.ts';
import { candidates } from './candidates.ts';
import type { HostLocalSettings } from './host-local-settings.ts';
import { LeaseFiles } from './lease-files.ts';
import { withLeases } from './leases.ts';
import { type RangeSet, rangeOf, sizeOf } from './range.ts';

/** So many addresses are looked at before the lock is taken and all leases are considered. */
const glance = 64;

/**
 * Throws code 50 when no ADD can be answered: a range set has no free address (an ADD needs one of every set), with the
 * count of each set, or the leases cannot be read. Makes nothing.
 */
export function status(settings: HostLocalSettings, observer: Observer): void {
  const files = new LeaseFiles(settings.directory);
  try {
    const doubtful = settings.sets.filter((set, index) => !hasFreeAtAGlance(files, set, index));
    if (doubtful.length === 0) return;
    const isFull = withLeases(settings, observer, 'leave', (leases) =>
      doubtful.some((set) => candidates(set, undefined, (ip) => leases.around(ip)).next().done),
    );
    if (!isFull) return;
  } catch (error) {
    const { message, code } = CniError.from(error);
    if (code === ErrorCode.tryAgainLater) throw error;
    throw new CniError(ErrorCode.pluginNotAvailable, message, { cause: error });
  }
  const counts = settings.sets.map((set, index) => countOf(files, set, index));
  throw new CniError(ErrorCode.pluginNotAvailable, `no address is free: ${counts.join('; ')}`, {
    details: `${settings.directory} has a file for each address in use; GC frees those of attachments that are gone`,
  });
}

function hasFreeAtAGlance(files: LeaseFiles, set: RangeSet, index: number): boolean {
  let looked = 0;
  for (const { ip } of candidates(set, files.lastReserved(index))) {
    if (!existsSync(files.pathOf(ip))) return true;
    looked += 1;
    if (looked === glance) break;
  }
  return false;
}

function countOf(files: LeaseFiles, set: RangeSet, index: number): string {
  const subnets = set.map(({ subnet }) => formatCidr(subnet)).join(', ');
  const used = files.addresses().filter((ip) => rangeOf(set, ip)).length;
  return `range set ${index} (${subnets}): ${used} of ${sizeOf(set)} in use`;
}

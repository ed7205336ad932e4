import { formatIp, type Ip, sameIp } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { SystemError } from '../kernel/system-error.ts';
import { type Candidate, candidates } from './candidates.ts';
import { legacyOwnerText, type Owner, ownerText } from './lease-owner.ts';
import type { Leases } from './leases.ts';
import { formatRanges, type RangeSet, rangeOf } from './range.ts';

/**
 * An address of each set: the wanted one, or the next that is free. All or none, and the errors are the reference's.
 * Throws CniError, and SystemError where a file cannot be written.
 */
export function takeAll(
  leases: Leases,
  sets: readonly RangeSet[],
  wanted: readonly (Ip | undefined)[],
  owner: Owner,
): Candidate[] {
  const taken: Candidate[] = [];
  try {
    const own = [...leases.find(ownerText(owner)), ...leases.find(legacyOwnerText(owner))];
    for (const [index, set] of sets.entries()) {
      const ip = wanted[index];
      if (ip === undefined) refuseDuplicate(own, set, owner);
      taken.push(ip ? takeWanted(leases, set, index, ip, owner) : takeNext(leases, set, index, owner));
    }
    return taken;
  } catch (error) {
    for (const { ip } of taken) giveBack(leases, ip, owner);
    const { message } = CniError.from(error);
    const code = error instanceof SystemError ? ErrorCode.ioFailure : ErrorCode.internal;
    throw new CniError(code, `failed to allocate for range ${taken.length}: ${message}`, { cause: error });
  }
}

/** What cannot be given back is the attachment's, and goes with its DEL: the first error is the one to report. */
function giveBack(leases: Leases, ip: Ip, owner: Owner): void {
  try {
    leases.remove({ ip, owner: ownerText(owner) });
  } catch {
    // As above.
  }
}

/** Asked for by name, an attachment may have a second address of the set: runtimes restore containers that way. */
function takeWanted(leases: Leases, set: RangeSet, index: number, ip: Ip, owner: Owner): Candidate {
  const range = rangeOf(set, ip);
  if (range === undefined) throw new Error(`${formatIp(ip)} not in range set ${formatRanges(set)}`);
  if (sameIp(ip, range.gateway)) throw new Error(`requested ip ${formatIp(ip)} is subnet's gateway`);
  if (leases.take(ip, ownerText(owner), index)) return { ip, range };
  throw new Error(`requested IP address ${formatIp(ip)} is not available in range set ${formatRanges(set)}`);
}

function refuseDuplicate(own: readonly Ip[], set: RangeSet, { containerID }: Owner): void {
  const [ip] = own
    .filter((ip) => rangeOf(set, ip))
    .map(formatIp)
    .sort();
  if (ip === undefined) return;
  throw new Error(`${ip} has been allocated to ${containerID}, duplicate allocation is not allowed`);
}

function takeNext(leases: Leases, set: RangeSet, index: number, owner: Owner): Candidate {
  const last = leases.lastReserved(index);
  for (;;) {
    for (const candidate of candidates(set, last, (ip) => leases.around(ip))) {
      if (leases.take(candidate.ip, ownerText(owner), index)) return candidate;
    }
    if (leases.isScanned) break;
    // The index is only a hint: before anybody is turned away, the files are asked.
    leases.scan();
  }
  throw new Error(`no IP addresses available in range set: ${formatRanges(set)}`);
}

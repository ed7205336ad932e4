import { dirname } from 'node:path';
import { parseIp } from '../../cni/address.ts';
import { leaseDirectoryAt } from '../../ipam/host-local-settings.ts';
import type { Lease } from '../../ipam/lease-listing.ts';
import { type Leases, withLeases } from '../../ipam/leases.ts';
import { type FileStamp, fileStamp } from '../file-stamp.ts';
import { grouped } from '../grouped.ts';
import type { LastLook } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';
import { changeOf, silent } from './lease-file.ts';

/** Gives back addresses whose owner is gone. */
export function freeLeases(leases: readonly Lease[]): Mend {
  const stamps = new Map(leases.map((lease) => [lease, fileStamp(lease.path)]));
  return { difference: leases.map(lineOf), apply: ({ look }) => free(stamps, look()) };
}

function free(stamps: ReadonlyMap<Lease, FileStamp | undefined>, look: LastLook): Mended {
  const account = new MendAccount();
  for (const [directory, own] of grouped(stamps.keys(), ({ path }) => dirname(path))) {
    const removeOwn = (files: Leases) => {
      for (const lease of own) freeOne(lease, stamps.get(lease), look, files, account);
      return true;
    };
    try {
      const isThere = withLeases(leaseDirectoryAt(directory), silent, 'leave', removeOwn);
      if (isThere === undefined) for (const lease of own) account.tick(lineOf(lease));
    } catch (error) {
      for (const lease of own) account.fail(lineOf(lease), error);
    }
  }
  return account;
}

/** With the lock of its directory held. */
function freeOne(
  lease: Lease,
  stamp: FileStamp | undefined,
  look: LastLook,
  files: Leases,
  account: MendAccount,
): void {
  const line = lineOf(lease);
  const ip = parseIp(lease.address);
  const owner = ip && files.read(ip);
  if (ip === undefined || owner === undefined) {
    account.tick(line);
    return;
  }
  const reason = reasonToKeep(lease, owner, stamp, look);
  if (reason === undefined) account.attempt(line, () => void files.remove({ ip, owner }));
  else account.leave(line, reason);
}

function reasonToKeep(
  lease: Lease,
  owner: string,
  stamp: FileStamp | undefined,
  look: LastLook,
): string | undefined {
  const { path, address, containerID, ifName } = lease;
  const isOwners = owner === [containerID, ifName].filter((text) => text !== undefined).join('\r\n');
  if (!isOwners) return 'it was given away anew meanwhile';
  return changeOf(path, stamp, look) ?? look.reasonToKeep(lease, [address]);
}

function lineOf({ address, network, containerID, ifName = '' }: Lease): string {
  return `- lease ${address} of ${`${containerID} ${ifName}`.trim()} in network ${network}`;
}

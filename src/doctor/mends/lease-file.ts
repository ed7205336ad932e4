import { dirname } from 'node:path';
import type { Observer } from '../../cni/observer.ts';
import { leaseDirectoryAt } from '../../ipam/host-local-settings.ts';
import { type Leases, withLeases } from '../../ipam/leases.ts';
import { type FileStamp, fileStamp, isStillSame } from '../file-stamp.ts';
import type { LastLook } from '../last-look.ts';
import type { Mend, Mended } from '../mend.ts';
import { MendAccount } from '../mend-account.ts';

/** A file that is named after an address. */
export interface LeaseFile {
  readonly network: string;
  readonly address: string;
  readonly path: string;
}

/**
 * Mends one, with the lock of its directory held, when it is the file that it is now; `mend` answers why it did nothing,
 * where it did not. `line` is what is true when the file is mended, or gone.
 */
export function mendLeaseFile(
  { path }: LeaseFile,
  line: string,
  mend: (look: LastLook, leases: Leases) => string | undefined,
): Mend {
  const stamp = fileStamp(path);
  const apply = (look: LastLook): Mended => {
    const account = new MendAccount();
    const reason = withLeases(leaseDirectoryAt(dirname(path)), silent, 'leave', (leases) =>
      fileStamp(path) === undefined ? undefined : (changeOf(path, stamp, look) ?? mend(look, leases)),
    );
    if (reason === undefined) account.tick(line);
    else account.leave(line, reason);
    return account;
  };
  return { difference: [line], apply: ({ look }) => apply(look()) };
}

/** Why nothing may be done to a lease whatever stands in it. */
export function changeOf(path: string, stamp: FileStamp | undefined, look: LastLook): string | undefined {
  if (stamp === undefined || !isStillSame(path, stamp)) return 'it was given away anew meanwhile';
  return look.survey.isSettled(stamp.modified) ? undefined : 'it is too young to tell: see --min-age';
}

export const silent: Observer = { step: (_, operation) => operation(), warn() {} };

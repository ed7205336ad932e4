import { readdirSync, type Stats, statSync } from 'node:fs';
import { formatIp } from '../../cni/address.ts';
import { LeaseFiles } from '../../ipam/lease-files.ts';
import { isMalformed } from '../../ipam/lease-owner.ts';
import { SystemError, withSystemError } from '../../kernel/system-error.ts';
import type { Survey } from '../survey.ts';

/** A file that is named after an address, and says no owner of it. */
export interface DamagedLease {
  /** As the folder is called. */
  readonly network: string;
  readonly address: string;
  readonly path: string;
  /** When it was last written. */
  readonly since: Date;
  /** What stands in it; undefined for a folder. */
  readonly text: string | undefined;
}

/** Those of all networks that are older than the minimum age: host-local makes a lease first, and then writes it. */
export function damagedLeases(survey: Survey): readonly DamagedLease[] {
  return survey.once('damaged leases', 'leases', () =>
    survey
      .each(survey.dataDirs(), (folder) =>
        survey.once(`damaged in ${folder}`, folder, () => damagedIn(folder)),
      )
      .flat()
      .filter(({ network }) => survey.concerns(network))
      .filter(({ since }) => survey.isSettled(since)),
  );
}

/** Of the networks below a `dataDir`. Throws what node:fs does, and SystemError. */
function damagedIn(dataDir: string): DamagedLease[] {
  return foldersIn(dataDir).flatMap((network) => {
    const files = new LeaseFiles(`${dataDir}/${network}`);
    return files.addresses().flatMap((ip) => {
      const text = files.read(ip);
      if (text !== undefined && !isMalformed(text)) return [];
      const path = files.pathOf(ip);
      const stats = statSync(path, { throwIfNoEntry: false });
      // Freed between the two looks.
      if (stats === undefined) return [];
      return [leaseOf(network, formatIp(ip), path, text, stats)];
    });
  });
}

function leaseOf(
  network: string,
  address: string,
  path: string,
  text: string | undefined,
  stats: Stats,
): DamagedLease {
  return { network, address, path, since: stats.mtime, text: stats.isDirectory() ? undefined : (text ?? '') };
}

function foldersIn(dataDir: string): string[] {
  try {
    return withSystemError('open', dataDir, () => readdirSync(dataDir, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return [];
    throw error;
  }
}

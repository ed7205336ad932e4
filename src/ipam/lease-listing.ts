import { type Dirent, readdirSync, statSync } from 'node:fs';
import { formatIp } from '../cni/address.ts';
import { SystemError, withSystemError } from '../kernel/system-error.ts';
import { LeaseFiles } from './lease-files.ts';
import { isMalformed } from './lease-owner.ts';

/** An address that host-local has given away. */
export interface Lease {
  readonly network: string;
  readonly address: string;
  readonly containerID: string;
  /** Undefined in files of old times, which do not say it. */
  readonly ifName: string | undefined;
  /** When its file was written. */
  readonly since: Date;
  readonly path: string;
}

/**
 * The leases of every network below a `dataDir`, without taking a lock: one that is just being made may be missing, and
 * one whose file says no owner is left out. Throws SystemError; where there is no folder there are no leases.
 */
export function listLeases(dataDir: string): Lease[] {
  return networksIn(dataDir).flatMap((network) => {
    const files = new LeaseFiles(`${dataDir}/${network}`);
    return files.addresses().flatMap((ip) => {
      const path = files.pathOf(ip);
      const text = files.read(ip);
      const since = statSync(path, { throwIfNoEntry: false })?.mtime;
      if (text === undefined || since === undefined || isMalformed(text)) return [];
      const [containerID = '', ifName] = text.split('\r\n');
      return { network, address: formatIp(ip), containerID, ifName, since, path };
    });
  });
}

function networksIn(dataDir: string): string[] {
  try {
    const found: Dirent[] = withSystemError('open', dataDir, () =>
      readdirSync(dataDir, { withFileTypes: true }),
    );
    return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return [];
    throw error;
  }
}

import { ENOENT } from '../kernel/errno.ts';
import { writeSysctl } from '../kernel/sysctl.ts';
import { SystemError } from '../kernel/system-error.ts';

/** Sets what only some kernels have, such as everything of IPv6. Throws SystemError. */
export function writeSysctlIfThere(path: string, value: string): void {
  try {
    writeSysctl(path, value);
  } catch (error) {
    if (!(error instanceof SystemError && error.errno === ENOENT)) throw error;
  }
}

import type { Observer } from '../cni/observer.ts';
import { EACCES, ENOENT, EPERM, EROFS } from '../kernel/errno.ts';
import { writeSysctl } from '../kernel/sysctl.ts';
import { SystemError } from '../kernel/system-error.ts';

/** Kernel settings of the network namespace that this thread is in; what some kernels lack, as without IPv6, is left out. */
export class Sysctls {
  constructor(private readonly observer: Observer) {}

  /** What the network cannot do without. Throws SystemError. */
  require(path: string, value: string): void {
    try {
      this.observer.step(`set ${path} to ${value}`, () => writeSysctl(path, value));
    } catch (error) {
      if (!(error instanceof SystemError && error.errno === ENOENT)) throw error;
    }
  }

  /** What makes it better: where /proc/sys may not be written, as in some containers, that is said, and no more. */
  prefer(path: string, value: string): void {
    try {
      this.require(path, value);
    } catch (error) {
      if (!(error instanceof SystemError && [EACCES, EPERM, EROFS].includes(error.errno))) throw error;
      this.observer.warn('sysctl-refused', path, `${path} stays as it is: ${error.message}`);
    }
  }
}

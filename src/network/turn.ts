import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { CURRENT, type Namespace, openNamespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/**
 * Those of ours who delete do so one after the other in each network namespace: a look that another's changes disturb is
 * in vain, and with many at once most would be. The lock is on the namespace's own file, so it leaves nothing behind.
 * Who does not get it in time goes on without: the generation guards what is changed.
 */
export class Turn {
  #file: Namespace | undefined;

  constructor(readonly namespace: Namespace | undefined) {}

  /** May be called again. */
  take(): void {
    if (this.#file !== undefined) return;
    try {
      this.#file = openNamespace(this.namespace?.path ?? CURRENT);
      lockFile(this.#file.fd, { path: this.#file.path, timeoutMs: TURN_MS });
    } catch (error) {
      // No /proc, or a process that was stopped in its turn.
      if (!(error instanceof SystemError || error instanceof LockTimeoutError)) throw error;
    }
  }

  /** May be called when it was not taken. */
  end(): void {
    this.#file?.close();
  }
}

/** A turn takes a few milliseconds: who keeps it longer has been stopped. */
const TURN_MS = 2000;

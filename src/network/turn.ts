import { CniError, ErrorCode } from '../cni/error.ts';
import { LockTimeoutError, lockFile } from '../kernel/file-lock.ts';
import { CURRENT, type Namespace, openNamespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';

/**
 * One at a time, of those who had to begin again because another one was faster: else of two hundred who look and then
 * write, each one who is through sends all others back. The lock is one of the namespace itself, so it is of no use
 * outside, leaves no file, and ends with the process. Who gets through at once takes none.
 */
export class Turn {
  readonly #namespace: Namespace | undefined;
  #lock: Namespace | undefined;

  constructor(namespace: Namespace | undefined) {
    this.#namespace = namespace;
  }

  /**
   * Waits for the turn; with it, a moment, since those who need not look take no turns. Throws CniError of code 11 when
   * `deadline` is over, by the clock of `performance.now()`.
   */
  take(deadline: number): void {
    if (this.#lock !== undefined) {
      pause();
      return;
    }
    const path = this.#namespace === undefined ? CURRENT : `/proc/self/fd/${this.#namespace.fd}`;
    try {
      // Opened once more: a lock belongs to an open file, and the namespace's is not ours to lock.
      this.#lock = openNamespace(path);
      lockFile(this.#lock.fd, { path, timeoutMs: Math.max(0, deadline - performance.now()) });
    } catch (error) {
      if (error instanceof LockTimeoutError) {
        throw new CniError(
          ErrorCode.tryAgainLater,
          `nftables: others change it all the time: ${error.message}`,
          {
            cause: error,
          },
        );
      }
      // Without the lock it only takes longer.
      if (!(error instanceof SystemError)) throw error;
      pause();
    }
  }

  /** May be called without a turn. */
  end(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }
}

const LONGEST_PAUSE_MS = 3;

/** Never the same for two processes: who collided would do so again. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * LONGEST_PAUSE_MS);
}

/** How long a process that was asked to end with SIGTERM may take, in milliseconds, before SIGKILL ends it. */
export const graceMs = 2000;

/** How long the pipes of a process that is gone may stay open, in milliseconds, because somebody it started holds them. */
export const drainMs = 1000;

/** setTimeout takes no more than 31 bits, and fires at once when it is given more. */
export const longestTimeoutMs = 2 ** 31 - 1;

/** What we did to end a process before its time. */
export interface Ended {
  readonly because: 'timeout' | 'abort';
  /** The last signal that was sent while it ran. */
  readonly with: 'SIGTERM' | 'SIGKILL';
}

/** The process group of a child that was started with `detached`; ended at a deadline, or when `signal` says so. */
export class ProcessGroup {
  ended: Ended | undefined;
  private timer: NodeJS.Timeout;
  private leaderIsGone = false;
  private readonly onAbort = () => this.terminate('abort');

  /**
   * @param leader process ID of the child, which is also that of its group
   * @param giveUp called when SIGKILL was sent and `finish` is still not called `drainMs` later: somebody who left the
   *   group holds a pipe, or the leader hangs in the kernel
   */
  constructor(
    private readonly leader: number,
    timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
    private readonly giveUp: () => void,
  ) {
    this.timer = setTimeout(() => this.terminate('timeout'), Math.min(timeoutMs, longestTimeoutMs));
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** In time: then whoever it left running was meant to be. Otherwise these have the rest of the grace. */
  leaderExited(): void {
    this.leaderIsGone = true;
    if (this.ended === undefined) this.stopWaiting();
  }

  /** Ends those who outlived a leader that we ended. */
  finish(): void {
    this.stopWaiting();
    if (this.ended !== undefined) this.send('SIGKILL');
  }

  private stopWaiting(): void {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.onAbort);
  }

  private terminate(because: Ended['because']): void {
    this.stopWaiting();
    this.ended = { because, with: 'SIGTERM' };
    this.send('SIGTERM');
    this.timer = setTimeout(() => {
      if (!this.leaderIsGone) this.ended = { because, with: 'SIGKILL' };
      this.send('SIGKILL');
      this.timer = setTimeout(this.giveUp, drainMs);
    }, graceMs);
  }

  private send(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.leader, signal);
    } catch {
      // ESRCH: nobody of the group is left.
    }
  }
}

import type { RuntimeConfiguration } from '../runtime/network-list.ts';
import type { LastLook } from './last-look.ts';

/** What a mend works with that is not the node's. */
export interface Means {
  /**
   * The node as it is now, looked at once for all mends, when the first one needs it. Each of them knows what it is about
   * since before that.
   */
  readonly look: () => LastLook;
  /** How plugins are run. */
  readonly execution: Omit<RuntimeConfiguration, 'containerID' | 'netns' | 'ifName'>;
}

/** What `--fix` may do about a finding: it cannot hurt a container that lives. */
export interface Mend {
  /** What goes and what comes, a line each: `- lease 10.22.0.5 of 3f2a eth0`. */
  readonly difference: readonly string[];
  /**
   * Looks again, under the lock of whoever else changes it, and does what is still to be done. Rejects when it cannot be
   * done: nothing is half done then.
   */
  apply(means: Means): Mended | Promise<Mended>;
}

export interface Mended {
  /** The lines of the difference that are true now. */
  readonly done: readonly string[];
  /** What was left as it is after the second look, and why. */
  readonly left: readonly string[];
}

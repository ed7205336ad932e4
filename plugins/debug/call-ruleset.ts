import type { Ruleset } from '../../src/network/ruleset.ts';
import type { Surroundings } from '../built-in.ts';

/** The nftables rules of all plugins that run in process in one pass over the delegates. */
export class CallRuleset {
  private ruleset: Ruleset | undefined;

  constructor(private readonly step: Surroundings['step']) {}

  /** Loaded when a plugin runs in process: those that are executed have no use for it. */
  async open(): Promise<Ruleset> {
    if (this.ruleset !== undefined) return this.ruleset;
    const { Ruleset } = await import('../../src/network/ruleset.ts');
    this.ruleset = new Ruleset({ step: this.step, deferred: true });
    return this.ruleset;
  }

  /** All that is still planned, in one transaction. Throws what keeps it from being made, and then none of it is. */
  commit(): void {
    this.ruleset?.commit();
  }

  close(): void {
    this.ruleset?.close();
  }
}

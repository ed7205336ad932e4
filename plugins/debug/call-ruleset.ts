import type { Ruleset } from '../../src/network/ruleset.ts';
import type { Difference } from '../../src/trace/change.ts';
import type { Surroundings } from '../built-in.ts';

/** The nftables rules of all plugins that run in process in one pass over the delegates. */
export class CallRuleset {
  private ruleset: Ruleset | undefined;
  /** Who plans, in order. */
  private readonly types = new Set<string>();

  constructor(private readonly step: Surroundings['step']) {}

  /** Loaded when a plugin runs in process: those that are executed have no use for it. */
  async open(type: string): Promise<Ruleset> {
    this.types.add(type);
    if (this.ruleset !== undefined) return this.ruleset;
    const { Ruleset } = await import('../../src/network/ruleset.ts');
    this.ruleset = new Ruleset({ step: this.step, deferred: true });
    return this.ruleset;
  }

  /** All that is still planned, in one transaction. Throws what keeps it from being made, and then none of it is. */
  commit(): void {
    this.ruleset?.commit();
  }

  /**
   * Whose doing a change is that was made by the plugin `type`, or behind all of them: rules may be made for those
   * before it, too. Host ports are portmap's, all else that of whoever makes the interface.
   */
  plannerOf(type?: string): (difference: Difference) => string {
    const types = [...this.types];
    return ({ old, now }) => {
      const { kind = '', object = '', of = '' } = now ?? old ?? {};
      if (type !== undefined && !kind.startsWith('nft ')) return type;
      const isHostPort = `${of} ${object}`.includes('hostport');
      return types.find((one) => (one === 'portmap') === isHostPort) ?? type ?? types[0] ?? 'debug';
    };
  }

  close(): void {
    this.ruleset?.close();
  }
}

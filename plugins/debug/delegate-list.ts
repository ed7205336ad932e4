import { CniError } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp } from '../../src/cni/keys.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { attemptAll } from '../../src/runtime/attempt-all.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';
import type { Call } from './call.ts';
import { CallRuleset } from './call-ruleset.ts';
import { Delegate, type Wrapped } from './delegate.ts';

/** The plugins that are run in this one's place; undefined when the configuration names none. */
export function openDelegates(call: Call): DelegateList | undefined {
  const { delegate } = call.settings;
  const { configuration } = call.invocation;
  if (delegate !== undefined) {
    return new DelegateList(
      call,
      delegate.map((own, index) => ({
        type: String(lookUp(own, 'type')),
        configuration: delegateConfiguration(configuration, own),
        ...{ index, count: delegate.length },
      })),
    );
  }
  if (!call.isBridge) return undefined;
  const bridge = { type: 'bridge', configuration: configuration.document, isStandalone: true };
  return new DelegateList(call, [{ ...bridge, index: 0, count: 1 }]);
}

/** One plugin, or a chain of them in one call. */
export class DelegateList {
  private readonly delegates: readonly Delegate[];
  /** The last that there is; what the chain answers when all have had their turn. */
  private result: JsonObject | undefined;

  constructor(
    private readonly call: Call,
    chain: readonly Wrapped[],
  ) {
    this.delegates = chain.map((wrapped) => new Delegate(call, wrapped));
  }

  /** ADD in order, each with the result of the one before. Their nftables rules are made at the end, all at once. */
  async add(): Promise<JsonObject> {
    return this.withRuleset(async (ruleset) => {
      for (const delegate of this.delegates) this.result = await delegate.add(this.result, ruleset);
      this.commit(ruleset);
      return this.result as JsonObject;
    });
  }

  /** DEL in reverse for all that ran, after an ADD that failed. What was planned and not made is forgotten. */
  async undoAdd(): Promise<void> {
    await this.withRuleset(async (ruleset) => {
      for (const delegate of [...this.delegates].reverse()) await delegate.undoAdd(this.result, ruleset);
      try {
        this.commit(ruleset);
      } catch (thrown) {
        if (thrown instanceof NamespaceLostError) throw thrown;
        const { message } = CniError.from(thrown);
        this.call.trace.find('undo-failed', 'nftables', `DEL after the failed ADD: ${message}`);
      }
    });
  }

  /** The command that we were given ourselves, DEL in reverse; all have their turn. Throws all that went wrong. */
  async pass(): Promise<void> {
    const inOrder = this.call.invocation.command === 'DEL' ? [...this.delegates].reverse() : this.delegates;
    await this.withRuleset((ruleset) =>
      attemptAll(...inOrder.map((delegate) => () => delegate.pass(ruleset)), () => this.commit(ruleset)),
    );
  }

  private commit(ruleset: CallRuleset): void {
    try {
      ruleset.commit();
      this.call.changes?.mark(ruleset.plannerOf());
    } catch (thrown) {
      if (thrown instanceof NamespaceLostError) throw thrown;
      throw this.call.located(thrown);
    }
  }

  private async withRuleset<T>(run: (ruleset: CallRuleset) => Promise<T>): Promise<T> {
    const ruleset = new CallRuleset((name, operation) => this.call.trace.step(name, operation));
    try {
      return await run(ruleset);
    } finally {
      ruleset.close();
    }
  }
}

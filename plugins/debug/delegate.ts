import { convertResult } from '../../src/cni/conversion.ts';
import type { Command } from '../../src/cni/environment.ts';
import { CniError } from '../../src/cni/error.ts';
import { type JsonObject, stringifyJson } from '../../src/cni/json.ts';
import { withKey } from '../../src/cni/keys.ts';
import { versionOfResult } from '../../src/cni/result.ts';
import { childOf } from '../../src/cni/trace-context.ts';
import { isAtLeast } from '../../src/cni/version.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { findPlugin, findPluginIfAny } from '../../src/runtime/find-plugin.ts';
import { isThisProgram } from '../../src/runtime/this-program.ts';
import type { Account, Order } from './account.ts';
import type { Call } from './call.ts';
import type { CallRuleset } from './call-ruleset.ts';
import { runExecutable } from './executed.ts';
import { runInProcess } from './in-process.ts';
import { checkResult } from './prev-result.ts';

/** A plugin that `debug` runs in its own place. */
export interface Wrapped {
  readonly type: string;
  /** What it gets on stdin. */
  readonly configuration: JsonObject;
  /** It is `debug` itself: always built in, and no delegate in the record. */
  readonly isStandalone?: boolean;
  /** Its position from 0, and how many there are. */
  readonly index: number;
  readonly count: number;
}

/** After a signal: whoever sent it will not wait much longer before SIGKILL. */
const hurry = { timeoutMs: 3000, signal: new AbortController().signal };

/** Runs the wrapped plugin, as an executable or in process, and records each of its calls. */
export class Delegate {
  private hasRun = false;
  /** Its ADD was done to the end. */
  private hasAdded = false;

  constructor(
    private readonly call: Call,
    private readonly wrapped: Wrapped,
  ) {}

  /** Its result, found valid, in the configuration's version. `before` is that of the delegate before it. */
  async add(before: JsonObject | undefined, ruleset: CallRuleset): Promise<JsonObject> {
    const { cniVersion } = this.call.invocation.configuration;
    const { outcome, wrongResult } = await this.run('ADD', this.configuration(before), ruleset);
    const answer = outcome.ok ? outcome.result : undefined;
    // One that changes nothing has been looked at.
    if (answer && before && stringifyJson(answer) === stringifyJson(before)) return before;
    try {
      // In the version that it names, as libcni reads it.
      const version = versionOfResult(answer ?? null, cniVersion);
      const result = checkResult(this.call, answer ?? null, version, this.pathOfResult);
      return convertResult(result, version, cniVersion);
    } catch (thrown) {
      if (thrown instanceof NamespaceLostError) throw thrown;
      throw this.described(wrongResult(CniError.from(thrown)));
    }
  }

  /** The command that we were given ourselves. Throws the plugin's error, or what kept it from answering. */
  async pass(ruleset: CallRuleset): Promise<void> {
    await this.run(this.call.invocation.command, this.wrapped.configuration, ruleset);
  }

  /**
   * DEL after an ADD that failed here or there; `result` is the last one that there was. Its own failure is noted, and
   * the first error stays the answer.
   */
  async undoAdd(result: JsonObject | undefined, ruleset: CallRuleset): Promise<void> {
    const isEnding = this.call.invocation.signal.aborted;
    // What was cut short is left to the DEL of the runtime that ends us; what was finished is undone in a hurry.
    if (!this.hasRun || (isEnding && !this.hasAdded)) return;
    const { cniVersion } = this.call.invocation.configuration;
    const configuration = this.configuration(isAtLeast(cniVersion, '0.4.0') ? result : undefined);
    try {
      await this.run('DEL', configuration, ruleset, isEnding ? hurry : {});
    } catch (thrown) {
      if (thrown instanceof NamespaceLostError) throw thrown;
      const { message } = CniError.from(thrown);
      this.call.trace.find('undo-failed', this.wrapped.type, `DEL after the failed ADD: ${message}`);
    }
  }

  private configuration(prevResult: JsonObject | undefined): JsonObject {
    const { configuration } = this.wrapped;
    return prevResult === undefined ? configuration : withKey(configuration, 'prevResult', prevResult);
  }

  /** The account of a call that succeeded. */
  private async run(
    command: Command,
    configuration: JsonObject,
    ruleset: CallRuleset,
    terms: Partial<Pick<Order, 'timeoutMs' | 'signal'>> = {},
  ): Promise<Account> {
    const { invocation, settings, trace } = this.call;
    const { signal = invocation.signal, timeoutMs = settings.delegateTimeout } = terms;
    const { type, isStandalone } = this.wrapped;
    trace.beforeDelegate();
    this.call.changes?.begin();
    try {
      const name = isStandalone ? `${type} ${command}` : `delegate ${command} ${type}`;
      const context = isStandalone ? trace.context : childOf(trace.context);
      const order = { type, command, configuration, timeoutMs, signal, context };
      const account = await trace.step(name, () => this.runEitherWay(order, ruleset));
      this.call.changes?.mark(account.record.inProcess === true ? ruleset.plannerOf(type) : type);
      this.hasRun ||= account.hasRun;
      this.hasAdded ||= account.hasAdded;
      if (!isStandalone) trace.delegates.push(account.record);
      if (signal.aborted) throw signal.reason;
      if (!account.outcome.ok) throw account.outcome.error;
      return account;
    } catch (thrown) {
      if (thrown instanceof NamespaceLostError) throw thrown;
      throw this.described(thrown);
    }
  }

  /**
   * In process where a runtime would start this very executable, or find none. Anything else that it would start is
   * started: who wraps a suspect wants to see that one.
   */
  private async runEitherWay(order: Order, ruleset: CallRuleset): Promise<Account> {
    const { call } = this;
    const { settings, invocation, builtIns } = call;
    const { type, isStandalone = false } = this.wrapped;
    const builtIn = Object.hasOwn(builtIns, type) ? builtIns[type] : undefined;
    if (builtIn === undefined || (settings.external && !isStandalone))
      return runExecutable(call, findPlugin(type, invocation.path), order);
    const path = isStandalone ? undefined : findPluginIfAny(type, invocation.path);
    if (path !== undefined && !isThisProgram(path)) return runExecutable(call, path, order);
    if (order.signal.aborted) throw order.signal.reason;
    return runInProcess(call, builtIn, await ruleset.open(type), order);
  }

  /** Where it stands among several, and where an operator finds the whole story. */
  private described(thrown: unknown): CniError {
    const { type, index, count } = this.wrapped;
    if (count === 1) return this.call.located(thrown);
    // A signal ends the call, whoever was at it.
    if (thrown === this.call.invocation.signal.reason) return this.call.located(thrown);
    const { code, message, details } = CniError.from(thrown);
    const place = `delegate ${index + 1} of ${count} (${JSON.stringify(type)})`;
    return this.call.located(new CniError(code, `${place}: ${message}`, { details, cause: thrown }));
  }

  private get pathOfResult(): string {
    return this.wrapped.count === 1 ? 'result' : `delegates[${this.wrapped.index}].result`;
  }
}

import { convertResult } from '../../src/cni/conversion.ts';
import type { Command } from '../../src/cni/environment.ts';
import { CniError } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp, withKey } from '../../src/cni/keys.ts';
import { versionOfResult } from '../../src/cni/result.ts';
import { isAtLeast } from '../../src/cni/version.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';
import { execPlugin, type PluginCall } from '../../src/runtime/exec-plugin.ts';
import { findPlugin } from '../../src/runtime/find-plugin.ts';
import { wrongResult } from '../../src/runtime/plugin-outcome.ts';
import type { Call } from './call.ts';
import { checkResult } from './prev-result.ts';

/** The wrapped plugin; undefined when the configuration names none. */
export function openDelegate(call: Call): Delegate | undefined {
  const { delegate } = call.settings;
  if (delegate === undefined) return undefined;
  return new Delegate(
    call,
    String(lookUp(delegate, 'type')),
    delegateConfiguration(call.invocation.configuration, delegate),
  );
}

/** How long a call of the plugin may take, and what ends it. */
interface Terms {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** After a signal: whoever sent it will not wait much longer before SIGKILL. */
const hurry: Terms = { timeoutMs: 3000, signal: new AbortController().signal };

/** Runs the wrapped plugin's executable and records each of its calls. */
export class Delegate {
  private hasRun = false;
  /** It answered ADD with success, whatever the answer is worth. */
  private hasAdded = false;
  private result: JsonObject | undefined;

  constructor(
    private readonly call: Call,
    private readonly type: string,
    private readonly configuration: JsonObject,
  ) {}

  /** The command that we were given ourselves. Throws the plugin's error, or what kept it from answering. */
  async run(): Promise<void> {
    await this.exec(this.call.invocation.command, this.configuration);
  }

  /** Its result, found valid, in the configuration's version. */
  async add(): Promise<JsonObject> {
    const { cniVersion } = this.call.invocation.configuration;
    const account = await this.exec('ADD', this.configuration);
    const answer = account.outcome.ok ? account.outcome.result : undefined;
    try {
      // In the version that it names, as libcni reads it.
      const version = versionOfResult(answer ?? null, cniVersion);
      const result = checkResult(this.call, answer ?? null, version, 'result');
      this.result = convertResult(result, version, cniVersion);
      return this.result;
    } catch (thrown) {
      throw this.call.located(wrongResult(account, CniError.from(thrown)));
    }
  }

  /** DEL after an ADD that failed here or there. Its own failure is noted, and the first error stays the answer. */
  async undoAdd(): Promise<void> {
    const isEnding = this.call.invocation.signal.aborted;
    // What was cut short is left to the DEL of the runtime that ends us; what was finished is undone in a hurry.
    if (!this.hasRun || (isEnding && !this.hasAdded)) return;
    const { cniVersion } = this.call.invocation.configuration;
    const hasResult = this.result !== undefined && isAtLeast(cniVersion, '0.4.0');
    const configuration = hasResult
      ? withKey(this.configuration, 'prevResult', this.result as JsonObject)
      : this.configuration;
    try {
      await this.exec('DEL', configuration, isEnding ? hurry : {});
    } catch (thrown) {
      const { message } = CniError.from(thrown);
      this.call.trace.find('undo-failed', this.type, `DEL after the failed ADD: ${message}`);
    }
  }

  /** The account of a call that succeeded. */
  private async exec(
    command: Command,
    configuration: JsonObject,
    terms: Partial<Terms> = {},
  ): Promise<PluginCall> {
    const { invocation, settings, trace, redact } = this.call;
    const { environment } = invocation;
    const { signal = invocation.signal, timeoutMs = settings.delegateTimeout } = terms;
    const { type } = this;
    trace.beforeDelegate();
    try {
      const account = await trace.step(`delegate ${command} ${type}`, async () => {
        const path = findPlugin(type, invocation.path);
        return execPlugin({ type, path, command, environment, configuration, timeoutMs, redact, signal });
      });
      this.note(account, configuration);
      this.hasAdded ||= command === 'ADD' && account.outcome.ok;
      if (signal.aborted) throw signal.reason;
      if (!account.outcome.ok) throw account.outcome.error;
      return account;
    } catch (thrown) {
      throw this.call.located(thrown);
    }
  }

  private note(account: PluginCall, configuration: JsonObject): void {
    const { invocation, trace } = this.call;
    const { argv, type, command, environment, stdout, stderr, pid, status, signal, durationMs, outcome } =
      account;
    this.hasRun ||= pid !== undefined;
    trace.delegates.push({
      ...{ type, command, argv, environment, stdin: configuration, stdout, stderr, pid, status, signal },
      duration: durationMs,
      failure: outcome.ok ? undefined : outcome.error.message,
    });
    if (stderr !== '') invocation.writeStderr(stderr.endsWith('\n') ? stderr : `${stderr}\n`);
  }
}

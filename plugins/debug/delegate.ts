import type { Command } from '../../src/cni/environment.ts';
import { CniError } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp, withKey } from '../../src/cni/keys.ts';
import { versionOfResult } from '../../src/cni/result.ts';
import { isAtLeast } from '../../src/cni/version.ts';
import { peakMemoryOfChildren } from '../../src/kernel/process.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';
import { execPlugin, type PluginCall } from '../../src/runtime/exec-plugin.ts';
import { findPlugin } from '../../src/runtime/find-plugin.ts';
import { pluginFailure } from '../../src/runtime/plugin-outcome.ts';
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

/** Runs the wrapped plugin's executable and records each of its calls. */
export class Delegate {
  private hasStarted = false;
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

  /** Its result, found valid. */
  async add(): Promise<JsonObject> {
    const result = await this.exec('ADD', this.configuration);
    if (result === undefined)
      throw new CniError(pluginFailure, `plugin "${this.type}" answered ADD with no result`);
    try {
      // In the version that it names, as libcni reads it.
      const version = versionOfResult(result, this.call.invocation.configuration.cniVersion);
      this.result = checkResult(this.call, result, version, 'result');
      return this.result;
    } catch (thrown) {
      const { message } = CniError.from(thrown);
      throw this.located(
        new CniError(pluginFailure, `plugin "${this.type}" answered ADD with a wrong result: ${message}`),
      );
    }
  }

  /** DEL after an ADD that failed here or there. Its own failure is noted, and the first error stays the answer. */
  async undoAdd(): Promise<void> {
    // The runtime that ends us sends the DEL itself, and is not waiting for this one.
    if (!this.hasStarted || this.call.invocation.signal.aborted) return;
    const { cniVersion } = this.call.invocation.configuration;
    const hasResult = this.result !== undefined && isAtLeast(cniVersion, '0.4.0');
    const configuration = hasResult
      ? withKey(this.configuration, 'prevResult', this.result as JsonObject)
      : this.configuration;
    try {
      await this.exec('DEL', configuration);
    } catch (thrown) {
      const { message } = CniError.from(thrown);
      this.call.trace.find('undo-failed', this.type, `DEL after the failed ADD: ${message}`);
    }
  }

  private async exec(command: Command, configuration: JsonObject): Promise<JsonObject | undefined> {
    const { invocation, settings, trace } = this.call;
    const { environment, signal } = invocation;
    trace.beforeDelegate();
    const account = await trace.step(`delegate ${command} ${this.type}`, async () => {
      const path = findPlugin(this.type, invocation.path);
      this.hasStarted = true;
      return execPlugin({
        type: this.type,
        path,
        command,
        environment,
        configuration,
        timeoutMs: settings.delegateTimeout,
        signal,
      });
    });
    this.note(account, configuration);
    if (signal.aborted) throw this.located(CniError.from(signal.reason));
    if (account.outcome.ok) return account.outcome.result;
    throw this.located(account.outcome.error);
  }

  private note(account: PluginCall, configuration: JsonObject): void {
    const { invocation, trace } = this.call;
    const { argv, type, command, environment, stdout, stderr, pid, status, signal, durationMs, outcome } =
      account;
    trace.delegates.push({
      ...{ type, command, argv, environment, stdin: configuration, stdout, stderr, pid, status, signal },
      duration: durationMs,
      peakMemory: peakMemory(),
      failure: outcome.ok ? undefined : outcome.error.message,
    });
    if (stderr !== '') invocation.writeStderr(stderr.endsWith('\n') ? stderr : `${stderr}\n`);
  }

  /** The plugin's own error, as it gave it, and where the whole call can be read. */
  private located({ code, message, details }: CniError): CniError {
    const place = this.call.whereRecorded;
    return new CniError(code, message, { details: details === '' ? place : `${details}; ${place}` });
  }
}

let largestPeak = 0;

/** The kernel tells the peak of the largest child only, so one that stays below an earlier one has none. */
function peakMemory(): number | undefined {
  try {
    const peak = peakMemoryOfChildren();
    if (peak <= largestPeak) return undefined;
    largestPeak = peak;
    return peak;
  } catch {
    // Without Koffi there is no such figure, and the record does without it.
    return undefined;
  }
}

import { operate } from '../src/cni/call.ts';
import { versionOf } from '../src/cni/configuration.ts';
import { type Command, type Environment, readParameters } from '../src/cni/environment.ts';
import { CniError } from '../src/cni/error.ts';
import { type JsonObject, stringifyJson } from '../src/cni/json.ts';
import type { Invocation } from '../src/cni/plugin.ts';
import { NamespaceLostError } from '../src/kernel/netns.ts';
import { findPlugin, findPluginIfAny } from '../src/runtime/find-plugin.ts';
import { isThisProgram } from '../src/runtime/this-program.ts';
import type { BuiltIn, Surroundings } from './built-in.ts';

/** Another plugin, to which one of ours hands its work (section 4, "Delegated Plugins"). */
export interface Delegate {
  readonly isInProcess: boolean;
  /** Its result, in a version that it names. Rejects with its error; what it has made then is for `undoAdd`. */
  add(configuration: JsonObject): Promise<JsonObject>;
  /**
   * After an ADD that failed: whether nothing is left of it. One of ours has undone itself, or said what it could not; an
   * executable gets its DEL, unless the call is being ended: then that is left to the DEL of whoever ends it, also where
   * one of ours executes it.
   */
  undoAdd(configuration: JsonObject): Promise<boolean>;
  /** Any other command; `variables` are what the delegate finds changed in its environment. */
  run(command: Command, configuration: JsonObject, variables?: Environment): Promise<void>;
}

/**
 * The plugin of a type, for the call `invocation`: in this process where it is ours and one of `alwaysOurs`, or where a
 * runtime would start this very executable, or find none. Everything else is executed. Throws code `pluginFailure` when
 * CNI_PATH has no such plugin.
 */
export function openDelegate(
  invocation: Invocation,
  surroundings: Surroundings,
  type: string,
  alwaysOurs: readonly string[] = [],
): Delegate {
  const { builtIns } = surroundings;
  const ours = Object.hasOwn(builtIns, type) ? builtIns[type] : undefined;
  if (ours === undefined)
    return executedDelegate(invocation, surroundings, type, findPlugin(type, invocation.path));
  const path = alwaysOurs.includes(type) ? undefined : findPluginIfAny(type, invocation.path);
  if (path === undefined || isThisProgram(path)) return builtInDelegate(invocation, surroundings, type, ours);
  return executedDelegate(invocation, surroundings, type, path);
}

/** As its executable would run: the same environment and document, the same checks of both. */
function builtInDelegate(
  invocation: Invocation,
  surroundings: Surroundings,
  type: string,
  builtIn: BuiltIn,
): Delegate {
  let isUndone = true;
  const step: Surroundings['step'] = (name, operation) => surroundings.step(`${type}: ${name}`, operation);
  const warn: Surroundings['warn'] = (rule, ...what) => {
    if (rule === 'undo-failed') isUndone = false;
    surroundings.warn(rule, ...what);
  };
  const call = async (command: Command, configuration: JsonObject, variables: Environment = {}) => {
    const environment = { ...invocation.environment, ...variables, CNI_COMMAND: command };
    const stdin = Buffer.from(stringifyJson(configuration));
    const { signal, writeStderr } = invocation;
    const request = { environment, stdin, document: configuration, signal, writeStderr };
    const plugin = await builtIn({ ...surroundings, step, warn });
    const outcome = await operate(plugin, request, readParameters(environment, plugin.needless));
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  };
  return {
    isInProcess: true,
    add: async (configuration) => (await call('ADD', configuration)) as JsonObject,
    undoAdd: async () => isUndone && !invocation.signal.aborted,
    run: async (...order) => void (await call(...order)),
  };
}

function executedDelegate(
  invocation: Invocation,
  { step, warn }: Surroundings,
  type: string,
  path: string,
): Delegate {
  const { signal } = invocation;
  const call = async (command: Command, configuration: JsonObject, variables: Environment = {}) => {
    const { executeDelegate } = await import('../src/runtime/execute-delegate.ts');
    const environment = { ...invocation.environment, ...variables };
    return step(`delegate ${command} ${type}`, () =>
      executeDelegate({ ...invocation, environment }, { type, path, command, configuration }),
    );
  };
  const run: Delegate['run'] = async (...order) => void (await call(...order));
  return {
    isInProcess: false,
    async add(configuration) {
      const account = await call('ADD', configuration);
      const { readDelegateResult } = await import('../src/runtime/delegate-result.ts');
      return readDelegateResult(account, versionOf(configuration) ?? '0.1.0');
    },
    async undoAdd(configuration) {
      if (signal.aborted) return false;
      try {
        await run('DEL', configuration);
        return true;
      } catch (thrown) {
        if (thrown instanceof NamespaceLostError) throw thrown;
        warn('undo-failed', type, `${type}: DEL after the failed ADD: ${CniError.from(thrown).message}`);
        return false;
      }
    },
    run,
  };
}

import { operate } from '../../src/cni/call.ts';
import { readParameters } from '../../src/cni/environment.ts';
import { CniError } from '../../src/cni/error.ts';
import { stringifyJson } from '../../src/cni/json.ts';
import type { Clock, Plugin } from '../../src/cni/plugin.ts';
import { withTrace } from '../../src/cni/trace-context.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { durationText, type PluginOutcome, pluginFailure } from '../../src/runtime/plugin-outcome.ts';
import { longestTimeoutMs } from '../../src/runtime/process-group.ts';
import type { ProcessRecord } from '../../src/trace/process-record.ts';
import type { BuiltIn, Surroundings } from '../built-in.ts';
import type { Account, Order } from './account.ts';
import type { Call } from './call.ts';

/**
 * Runs a plugin of ours as its executable would: the same environment, the same document, the same checks of both. Its
 * steps are steps of the call, what it warns of are findings. Rejects with NamespaceLostError, and with nothing else.
 */
export async function runInProcess(
  call: Call,
  builtIn: BuiltIn,
  ruleset: Surroundings['ruleset'],
  order: Order,
): Promise<Account> {
  const { trace } = call;
  const { type, command, configuration } = order;
  const startedAt = trace.elapsed;
  const surroundings: Surroundings = {
    clock: trace.clock,
    step: (name, operation) => trace.step(`${type}: ${name}`, operation),
    warn: (rule, object, message) => trace.find(rule, object, message),
    ruleset,
    builtIns: call.builtIns,
  };
  // Not what came of the call: a result that cannot be said in the configuration's version has been made, too.
  let hasAdded = false;
  const watched: BuiltIn = async (...given) => {
    const plugin = await builtIn(...given);
    const add: Plugin['add'] = async (invocation) => {
      const result = await plugin.add(invocation);
      hasAdded = true;
      return result;
    };
    return { ...plugin, add };
  };
  const outcome = await withDeadline(order, trace.clock, (signal) =>
    answer(call, watched, surroundings, order, signal),
  );
  const failure = outcome.ok ? undefined : outcome.error.message;
  const duration = trace.elapsed - startedAt;
  const { spanID } = order.context;
  const record: ProcessRecord = {
    ...{ type, command, inProcess: true, stdin: configuration, spanID, at: startedAt, duration, failure },
  };
  // An ADD of ours that fails has undone itself: a DEL would remove what was there before it.
  const hasRun = command !== 'ADD' || hasAdded;
  return { record, hasRun, hasAdded, outcome, wrongResult: (reason) => wrongAnswer(order, reason) };
}

async function answer(
  { invocation }: Call,
  builtIn: BuiltIn,
  surroundings: Surroundings,
  { command, configuration, context }: Order,
  signal: AbortSignal,
): Promise<PluginOutcome> {
  const { writeStderr } = invocation;
  try {
    const environment = { ...withTrace(invocation.environment, context), CNI_COMMAND: command };
    const stdin = Buffer.from(stringifyJson(configuration));
    const request = { environment, stdin, document: configuration, signal, writeStderr };
    const plugin = await builtIn(surroundings);
    const outcome = await operate(plugin, request, readParameters(environment, plugin.needless));
    // A signal that came while the kernel was at work is seen only now.
    await new Promise((resolve) => setImmediate(resolve));
    if ('error' in outcome) return { ok: false, error: outcome.error };
    return outcome.result === undefined ? { ok: true } : { ok: true, result: outcome.result };
  } catch (thrown) {
    for (let error = thrown; error instanceof Error; error = error.cause) {
      if (error instanceof NamespaceLostError) throw error;
    }
    return { ok: false, error: CniError.from(thrown) };
  }
}

/**
 * What waits is told to end; what works in the kernel ends by itself, since nothing else runs meanwhile, and then it is a
 * failure all the same.
 */
async function withDeadline(
  { type, command, timeoutMs, signal }: Order,
  clock: Clock,
  run: (signal: AbortSignal) => Promise<PluginOutcome>,
): Promise<PluginOutcome> {
  const ending = new AbortController();
  const end = () => ending.abort(signal.reason);
  const late = `${named(type)} did not answer ${command} within ${durationText(timeoutMs)}`;
  const endLate = () => ending.abort(new CniError(pluginFailure, late));
  const deadline = clock.monotonic() + timeoutMs;
  const timer = setTimeout(endLate, Math.min(timeoutMs, longestTimeoutMs));
  signal.addEventListener('abort', end, { once: true });
  try {
    const outcome = await run(ending.signal);
    // No timer had its turn while a lock was waited for in the kernel.
    if (clock.monotonic() >= deadline) endLate();
    if (!outcome.ok || !ending.signal.aborted) return outcome;
    return { ok: false, error: CniError.from(ending.signal.reason) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function wrongAnswer({ type, command }: Order, { message, details }: CniError): CniError {
  return new CniError(pluginFailure, `${named(type)} answered ${command} with a wrong result: ${message}`, {
    details,
  });
}

function named(type: string): string {
  return `plugin ${JSON.stringify(type)} (built in)`;
}

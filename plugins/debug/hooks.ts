import { CniError } from '../../src/cni/error.ts';
import { childOf, type TraceContext, withTrace } from '../../src/cni/trace-context.ts';
import { NamespaceLostError, openNamespace, runIn } from '../../src/kernel/netns.ts';
import { excerpt, trim } from '../../src/runtime/excerpt.ts';
import { durationText } from '../../src/runtime/plugin-outcome.ts';
import { type ProcessOutcome, runProcess } from '../../src/runtime/run-process.ts';
import type { Call } from './call.ts';

/** Code of a call that a hook failed, with `strictHooks`; 100 and up are a plugin's own. */
export const hookFailed = 102;

/**
 * Runs the commands of a key one after the other inside the container's namespace, with the plugin's environment. One
 * that fails is a finding; with `strictHooks` it is also an error, after all of them have run.
 */
export async function runHooks(call: Call, key: 'addHooks' | 'checkHooks' | 'delHooks'): Promise<void> {
  const { invocation, settings, trace } = call;
  const failures: string[] = [];
  if (settings[key].length > 0) call.changes?.begin();
  for (const [index, argv] of settings[key].entries()) {
    const failure = await trace.step(`hook ${argv[0]}`, () => runHook(call, argv));
    if (failure === undefined) continue;
    const message = `hook ${JSON.stringify(argv)} ${failure.reason}`;
    trace.find('hook-failed', `${key}[${index}]`, message);
    // A namespace that is gone has nothing left for DEL to do.
    if (failure.hasRun || invocation.command !== 'DEL') failures.push(message);
  }
  if (settings[key].length > 0) call.changes?.mark(key);
  if (failures.length > 0 && settings.strictHooks) {
    throw call.located(new CniError(hookFailed, failures.join('; ')));
  }
}

interface Failure {
  /** What went wrong, as the end of a sentence. */
  readonly reason: string;
  /** False when the namespace could not be entered. */
  readonly hasRun: boolean;
}

async function runHook(call: Call, argv: readonly string[]): Promise<Failure | undefined> {
  const { invocation, settings, trace } = call;
  trace.beforeDelegate();
  const context = childOf(trace.context);
  const { spanID } = context;
  const at = trace.elapsed;
  let running: Promise<ProcessOutcome>;
  try {
    running = startInside(call, argv, context);
  } catch (error) {
    if (error instanceof NamespaceLostError) throw error;
    const reason = `was not run: ${error instanceof Error ? error.message : String(error)}`;
    trace.hooks.push({ argv, failure: reason });
    return { reason, hasRun: false };
  }
  const outcome = await running;
  const reason = failureOf(outcome, settings.hookTimeout, call.redact);
  const { pid, status, signal, durationMs: duration } = outcome;
  const [stdout, stderr] = [outcome.stdout, outcome.stderr].map(({ bytes }) => bytes.toString('utf8'));
  trace.hooks.push({
    ...{ argv, stdout, stderr, spanID, at, duration, pid, status, signal, failure: reason },
  });
  if (invocation.signal.aborted) throw call.located(invocation.signal.reason);
  return reason === undefined ? undefined : { reason, hasRun: true };
}

/** Back out of the namespace before anything is awaited: whatever else runs then would run inside. */
function startInside(
  { invocation, settings }: Call,
  argv: readonly string[],
  context: TraceContext,
): Promise<ProcessOutcome> {
  const { netns, signal } = invocation;
  const environment = withTrace(invocation.environment, context);
  const [command = '', ...args] = argv;
  if (netns === '') throw new Error('CNI_NETNS is empty');
  const namespace = openNamespace(netns);
  try {
    const { running } = runIn(namespace, () => ({
      running: runProcess({ command, args, environment, timeoutMs: settings.hookTimeout, signal }),
    }));
    return running;
  } finally {
    namespace.close();
  }
}

function failureOf(
  outcome: ProcessOutcome,
  timeoutMs: number,
  redact: (text: string) => string,
): string | undefined {
  const what = endOf(outcome, timeoutMs);
  // Before it is cut, or half of a secret would stay.
  const stderr = redact(outcome.stderr.bytes.toString('utf8'));
  return what === undefined || trim(stderr) === '' ? what : `${what}; it wrote on stderr ${excerpt(stderr)}`;
}

function endOf(
  { failedToStart, ended, signal, status }: ProcessOutcome,
  timeoutMs: number,
): string | undefined {
  if (failedToStart !== undefined) return `could not be started: ${failedToStart}`;
  if (ended?.because === 'timeout')
    return `did not end within ${durationText(timeoutMs)} and was ended with ${ended.with}`;
  if (signal !== undefined) return `was ended by ${signal}`;
  return status === 0 ? undefined : `exited with status ${status}`;
}

import { CniError } from '../../src/cni/error.ts';
import { openNamespace, runIn } from '../../src/kernel/netns.ts';
import { type ProcessOutcome, runProcess } from '../../src/runtime/run-process.ts';
import type { Call } from './call.ts';

/** Code of a call that a hook failed, with `strictHooks`; 100 and up are a plugin's own. */
export const hookFailed = 102;

/**
 * Runs the commands one after the other inside the container's namespace, with the plugin's environment. One that fails
 * is a finding; with `strictHooks` it is also an error, after all of them have run.
 */
export async function runHooks(call: Call, hooks: readonly (readonly string[])[]): Promise<void> {
  const failures: string[] = [];
  for (const argv of hooks) {
    const failure = await call.trace.step(`hook ${argv[0]}`, () => runHook(call, argv));
    if (failure === undefined) continue;
    const message = `hook ${JSON.stringify(argv)} ${failure}`;
    call.trace.find('hook-failed', argv.join(' '), message);
    failures.push(message);
  }
  if (failures.length > 0 && call.settings.strictHooks) {
    throw new CniError(hookFailed, failures.join('; '), { details: call.whereRecorded });
  }
}

/** What went wrong, as the end of a sentence. */
async function runHook(call: Call, argv: readonly string[]): Promise<string | undefined> {
  const { invocation, trace } = call;
  trace.beforeDelegate();
  let running: Promise<ProcessOutcome>;
  try {
    running = startInside(call, argv);
  } catch (error) {
    const failure = `was not run: ${error instanceof Error ? error.message : String(error)}`;
    trace.hooks.push({ argv, failure });
    return failure;
  }
  const outcome = await running;
  const failure = failureOf(outcome);
  const { pid, status, signal, durationMs: duration } = outcome;
  const [stdout, stderr] = [outcome.stdout, outcome.stderr].map(({ bytes }) => bytes.toString('utf8'));
  trace.hooks.push({ argv, stdout, stderr, duration, pid, status, signal, failure });
  if (invocation.signal.aborted) throw invocation.signal.reason;
  return failure;
}

/** Back out of the namespace before anything is awaited: whatever else runs then would run inside. */
function startInside({ invocation, settings }: Call, argv: readonly string[]): Promise<ProcessOutcome> {
  const { environment, netns, signal } = invocation;
  const [command = '', ...args] = argv;
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

function failureOf({ failedToStart, ended, signal, status }: ProcessOutcome): string | undefined {
  if (failedToStart !== undefined) return `could not be started: ${failedToStart}`;
  if (ended?.because === 'timeout') return `did not end in time and was ended with ${ended.with}`;
  if (signal !== undefined) return `was ended by ${signal}`;
  return status === 0 ? undefined : `exited with status ${status}`;
}

import { constants } from 'node:os';
import { CniError } from '../../src/cni/error.ts';
import type { AnswerFault, Invocation } from '../../src/cni/plugin.ts';
import { digest } from '../../src/network/digest.ts';
import type { Call } from './call.ts';
import type { Fault } from './fault-keys.ts';

/** Code of the record where a process ends without an error of its own. */
const faultFailure = 103;

/**
 * Does the work of a call and the fault that is asked for. `error` and `exit` come in place of the work, so that an ADD
 * leaves nothing; except for what removes things, whose work is done first, so that nothing stays that a runtime believes
 * to be gone. `stdout` alone spoils the answer of work that was done.
 */
export async function withFault<T>(call: Call, fault: Fault, work: () => Promise<T>): Promise<T> {
  const { invocation, trace } = call;
  const { command, signal } = invocation;
  if (!fault.commands.includes(command) || !isChosen(fault, invocation)) return work();
  const removes = command === 'DEL' || command === 'GC';
  // What is wrong without us is not ours to hide.
  if (!removes) call.refuseProblems();
  const isInstead = !removes && (fault.error !== undefined || fault.exit !== undefined);
  const did = deedsOf(fault, isInstead);
  trace.fault = { did, answer: answerOf(fault) };
  trace.find('fault', command, `fault: ${did}, because "fault" of the configuration asks for it`);
  invocation.writeStderr(
    `cni-debug: fault: ${command}: ${did}, because "fault" of the configuration asks for it\n`,
  );
  if (fault.delay !== undefined) {
    // Whoever loses patience has a record that says for what.
    trace.beforeDelegate();
    const { delay } = fault;
    await trace.step('fault: delay', () => wait(delay, signal));
  }
  if (isInstead) throw call.located(errorOf(fault, 'nothing was done'));
  const outcome = await settle(work);
  if (fault.error !== undefined) {
    const own =
      'error' in outcome ? `the work failed by itself: ${outcome.error.message}` : 'the work was done';
    throw call.located(errorOf(fault, own));
  }
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** The same for every call with the same seed, command and attachment. */
function isChosen({ probability, seed }: Fault, { command, containerID, ifName }: Invocation): boolean {
  const drawn = digest('sha256', [seed, command, containerID, ifName].join('\0')).slice(0, 8);
  return Number.parseInt(drawn, 16) / 2 ** 32 < probability;
}

/** What is left to whoever prints and exits. */
function answerOf({ error, exit, stdout }: Fault): AnswerFault {
  // What crashes says nothing.
  return { exit, stdout: stdout ?? (exit !== undefined && error === undefined ? 'empty' : undefined) };
}

function deedsOf({ delay, error, exit, stdout }: Fault, isInstead: boolean): string {
  const when = isInstead ? 'in place of the work' : 'after the work';
  return [
    delay === undefined ? [] : `a delay of ${delay} ms`,
    error === undefined ? [] : `error ${error.code} ${when}`,
    exit === undefined ? [] : `${exitName(exit)} ${when}`,
    stdout === undefined ? [] : stdoutName[stdout],
  ]
    .flat()
    .join(', ');
}

const stdoutName = {
  malformed: 'stdout cut off',
  empty: 'nothing on stdout',
  twice: 'the answer twice on stdout',
} as const;

function exitName(status: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return name === undefined ? `exit status ${status}` : `ended by ${name}`;
}

function errorOf({ error, exit }: Fault, done: string): CniError {
  const details = `made by "fault" of the configuration; ${done}`;
  if (error !== undefined) return new CniError(error.code, error.msg, { details });
  return new CniError(faultFailure, `fault: ${exitName(exit ?? 0)}`, { details });
}

/** Rejects with the signal's reason when that comes first. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function settle<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: CniError }> {
  try {
    return { value: await work() };
  } catch (thrown) {
    return { error: CniError.from(thrown) };
  }
}

import type { Command, Environment } from '../cni/environment.ts';
import { type JsonObject, stringifyJson } from '../cni/json.ts';
import { missingInterpreter, unknownFormat } from './executable-format.ts';
import { judge, type PluginOutcome, type PluginRun } from './plugin-outcome.ts';
import { type ProcessOutcome, type ProcessRequest, runProcess } from './run-process.ts';

export interface PluginRequest {
  readonly type: string;
  /** The executable, as `findPlugin` finds it. */
  readonly path: string;
  readonly command: Command | 'VERSION';
  /** The whole environment; CNI_COMMAND is set to `command`. */
  readonly environment: Environment;
  readonly configuration: JsonObject | string;
  readonly timeoutMs: number;
  /** Takes secrets out of what error messages quote; the account has the whole text. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Ends the plugin with SIGTERM, then SIGKILL. */
  readonly signal?: AbortSignal | undefined;
  /** An open file that the plugin inherits. */
  readonly inherited?: number | undefined;
}

/** The account of one call of a plugin. */
export interface PluginCall extends PluginRun {
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly stdin: string;
  /** From the first attempt to start it to its exit, in milliseconds. */
  readonly durationMs: number;
  readonly outcome: PluginOutcome;
}

/** Runs a plugin's executable; what goes wrong is in the account's outcome, and the promise never rejects. */
export async function execPlugin(request: PluginRequest): Promise<PluginCall> {
  const { type, path, command, configuration, timeoutMs, redact, signal, inherited } = request;
  const environment = { ...request.environment, CNI_COMMAND: command };
  const stdin = typeof configuration === 'string' ? configuration : stringifyJson(configuration);
  const finished = await runUnlessBusy({
    ...{ command: path, environment, stdin, timeoutMs, signal, inherited },
  });
  const { stdout, stderr, failedToStart, durationMs, ...facts } = finished;
  const run: PluginRun = {
    ...facts,
    ...(failedToStart === undefined ? {} : { failedToStart: explain(failedToStart, path) }),
    type,
    path,
    command,
    timeoutMs,
    redact,
    // Bytes that are no UTF-8 become U+FFFD, as in Go's decoder.
    stdout: stdout.bytes.toString('utf8'),
    stdoutCut: stdout.length > stdout.bytes.length,
    stderr: stderr.bytes.toString('utf8'),
  };
  return { ...run, argv: [path], environment, stdin, durationMs, outcome: judge(run) };
}

/** libcni pauses a second five times; most installers need less to write a file. */
const busyPausesMs = [50, 150, 400, 1000, 1000];

/**
 * An executable that is just being written cannot be started (ETXTBSY): tried again, as libcni does. Not in
 * runProcess, whose caller may have left the namespace by then.
 */
async function runUnlessBusy(request: ProcessRequest): Promise<ProcessOutcome> {
  const startedAt = performance.now();
  let waitedMs = 0;
  let outcome = await attempt(request);
  for (const pauseMs of busyPausesMs) {
    if (outcome.failedToStart !== 'ETXTBSY') break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    waitedMs = performance.now() - startedAt;
    outcome = await attempt(request);
  }
  return { ...outcome, durationMs: waitedMs + outcome.durationMs };
}

function attempt(request: ProcessRequest): Promise<ProcessOutcome> {
  // Node's spawn would hand to /bin/sh what the kernel refuses, and a runtime would not.
  const isRefused = !('bun' in process.versions) && unknownFormat(request.command) !== undefined;
  return isRefused ? Promise.resolve(refused) : runProcess(request);
}

const nothing = { bytes: Buffer.alloc(0), length: 0 };
const refused: ProcessOutcome = { failedToStart: 'ENOEXEC', stdout: nothing, stderr: nothing, durationMs: 0 };

function explain(errno: string, path: string): string {
  if (errno === 'ECANCELED') return 'the call itself was ended first';
  if (errno === 'ETXTBSY') return 'ETXTBSY, the file is still open for writing';
  const cause =
    errno === 'ENOEXEC' ? unknownFormat(path) : errno === 'ENOENT' ? missingInterpreter(path) : undefined;
  return cause === undefined ? errno : `${errno}, ${cause}`;
}

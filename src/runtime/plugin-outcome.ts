import type { Command } from '../cni/environment.ts';
import { CniError } from '../cni/error.ts';
import { type JsonObject, stringifyJson } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { excerpt, trim } from './excerpt.ts';
import { readAnswer } from './plugin-answer.ts';
import type { Ended } from './process-group.ts';

/** Code of every error that says a plugin could not be run, or misbehaved: one of the plugins' own, from 100 on. */
export const pluginFailure = 101;

/** A plugin that ran, or did not, as far as judging it needs. */
export interface PluginRun {
  readonly type: string;
  /** The executable. */
  readonly path: string;
  readonly command: Command | 'VERSION';
  /** Its deadline, in milliseconds. */
  readonly timeoutMs: number;
  /** Why there was no process: an error number's name, and what is known of the cause. */
  readonly failedToStart?: string;
  readonly pid?: number;
  readonly status?: number;
  readonly signal?: NodeJS.Signals;
  /** Set when it was us who ended it. */
  readonly ended?: Ended;
  readonly stdout: string;
  /** There was more than we keep. */
  readonly stdoutCut: boolean;
  readonly stderr: string;
  /** Takes secrets out of what an error message quotes: before it is cut, or half of one would stay. */
  readonly redact?: ((text: string) => string) | undefined;
}

export type PluginOutcome =
  | { readonly ok: true; readonly result?: JsonObject }
  | { readonly ok: false; readonly error: CniError };

/**
 * What came of it, by the specification's section 2 and section 5: a plugin's own error is kept as it is; whatever
 * else went wrong is an error with code `pluginFailure`. The result is not looked into. What DEL, CHECK, GC and
 * STATUS print when they succeed is ignored.
 */
export function judge(run: PluginRun): PluginOutcome {
  const { command, failedToStart, ended, signal, status } = run;
  if (failedToStart !== undefined)
    return failure(run, `could not be started for ${command}: ${failedToStart}`);
  if (ended !== undefined) return failure(run, describeEnd(run, ended), hanging(run));
  if (signal !== undefined) return failure(run, `was killed by ${signal} during ${command}`, advice[signal]);
  if (status !== 0) return judgeFailed(run, `exited with status ${status} on ${command}`);
  return command === 'ADD' || command === 'VERSION' ? judgeAnswer(run) : { ok: true };
}

const onlyJson = 'stdout is for the one JSON value of the answer, logs belong on stderr';

/** What the user may look at next, by signal or exit status. */
const advice: Readonly<Record<string, string>> = {
  SIGKILL: 'if nobody did, it was the kernel for lack of memory: see dmesg',
  SIGSYS: 'a seccomp filter forbids one of its system calls',
  126: 'the shell gives this status when a command cannot be executed',
  127: 'the shell gives this status when a command is not found',
};

function describeEnd({ command, timeoutMs }: PluginRun, ended: Ended): string {
  return ended.because === 'timeout'
    ? `did not answer ${command} within ${durationText(timeoutMs)} and was ended with ${ended.with}`
    : `was ended with ${ended.with} before it answered ${command}, since the call itself was ended`;
}

/** SIGKILL ends whatever runs in user space. */
function hanging({ status, signal, pid }: PluginRun): string {
  if (status !== undefined || signal !== undefined) return '';
  return `process ${pid} outlives even that: it hangs in the kernel, see /proc/${pid}/stack`;
}

function judgeFailed(run: PluginRun, exited: string): PluginOutcome {
  const { document, fault } = readAnswer(run.stdout, (text) => quoted(run, text));
  if (run.stdoutCut) return failure(run, `${exited} and ${tooMuch}`, onlyJson);
  if (fault !== undefined) return failure(run, `${exited} and ${fault}`, onlyJson);
  if (document === undefined) return failure(run, `${exited} and printed no error`, advice[run.status ?? '']);
  const error = errorIn(document);
  if (error === undefined) {
    return failure(run, `${exited} and printed JSON that is no error: ${quoted(run, run.stdout)}`);
  }
  const { code = pluginFailure, message, details } = error;
  if (message !== '') return { ok: false, error: new CniError(code, message, { details }) };
  return failure(run, `${exited} with an error without "msg"`, details, code);
}

function judgeAnswer(run: PluginRun): PluginOutcome {
  const exited = `exited with status 0 on ${run.command}`;
  const { document, fault } = readAnswer(run.stdout, (text) => quoted(run, text));
  if (run.stdoutCut) return failure(run, `${exited} and ${tooMuch}`, onlyJson);
  if (fault !== undefined) return failure(run, `${exited} and ${fault}`, onlyJson);
  if (document === undefined) {
    return failure(run, `${exited} but printed no result`, 'one that changes nothing must print prevResult');
  }
  const { code = 0, message, details } = errorIn(document) ?? { message: '' };
  if (code === 0 || message === '') return { ok: true, result: document };
  return failure(run, `${exited} but printed an error: ${JSON.stringify(message)} (code ${code})`, details);
}

const tooMuch = 'printed more on stdout than the 16 MiB that are read';

/** What of an error the document has; undefined when that is neither a code nor a message. */
function errorIn(document: JsonObject): { code?: number; message: string; details: string } | undefined {
  const [code, msg, details] = ['code', 'msg', 'details'].map((name) => lookUp(document, name));
  const hasCode = typeof code === 'number' && Number.isSafeInteger(code);
  if (!hasCode && typeof msg !== 'string') return undefined;
  return {
    ...(hasCode ? { code } : {}),
    message: typeof msg === 'string' ? msg : '',
    details: typeof details === 'string' ? details : details == null ? '' : stringifyJson(details),
  };
}

/** For an answer to ADD that is JSON and no result; `message` and `details` say why. */
export function wrongResult(run: PluginRun, { message, details }: CniError): CniError {
  const what = `exited with status 0 on ${run.command} but printed a wrong result: ${message}`;
  return complaint(run, what, details);
}

function quoted({ redact }: PluginRun, text: string): string {
  return excerpt(redact === undefined ? text : redact(text));
}

function failure(...details: Parameters<typeof complaint>): PluginOutcome {
  return { ok: false, error: complaint(...details) };
}

function complaint(run: PluginRun, what: string, next = '', code = pluginFailure): CniError {
  const sentences = [`plugin ${JSON.stringify(run.type)} (${run.path}) ${what}`];
  if (trim(run.stderr) !== '') sentences.push(`it wrote on stderr ${quoted(run, run.stderr)}`);
  if (next !== '') sentences.push(next);
  return new CniError(code, sentences.join('; '));
}

/** As one would write it in a configuration. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

import type { JsonObject } from '../cni/json.ts';
import type { Redactor } from './redaction.ts';

/** What a record keeps of another executable that ran during the call, or of a plugin that ran in its place. */
export interface ProcessRecord {
  /** Absent where there was no process. */
  readonly argv?: readonly string[] | undefined;
  /** A plugin of ours, which ran inside the process of the call. */
  readonly inProcess?: true | undefined;
  /** Of a delegate: its type and the command it was given. */
  readonly type?: string | undefined;
  readonly command?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly stdin?: JsonObject | undefined;
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
  /** 16 hex digits: what it was told of its place in the trace. */
  readonly spanID?: string | undefined;
  /** When it began, in ms since the call did. */
  readonly at?: number | undefined;
  readonly pid?: number | undefined;
  readonly status?: number | undefined;
  readonly signal?: string | undefined;
  /** ms */
  readonly duration?: number | undefined;
  /** Why it counts as failed. */
  readonly failure?: string | undefined;
}

/** Longer output is cut in the record: a journal is no place for megabytes. */
const outputLimit = 64 * 1024;

/** Redacted. */
export function describeProcess(record: ProcessRecord, redactor: Redactor) {
  const { argv, environment, stdin, stdout, stderr, duration, failure } = record;
  return {
    ...record,
    // Together, because `--token` says what the next word is.
    argv: argv && redactor.json([...argv]),
    environment: environment && redactor.environment(environment),
    stdin: stdin && redactor.json(stdin),
    stdout: stdout === undefined ? undefined : shorten(redactor.text(stdout)),
    stderr: stderr === undefined ? undefined : shorten(redactor.text(stderr)),
    duration: duration && Math.round(duration * 1000) / 1000,
    failure: failure === undefined ? undefined : redactor.text(failure),
  };
}

/** What a record keeps of a text. */
export function shorten(text: string): string {
  if (text.length <= outputLimit) return text;
  return `${text.slice(0, outputLimit)}… (${text.length - outputLimit} more characters)`;
}

import type { Configuration } from './configuration.ts';
import type { Environment, Parameters } from './environment.ts';
import type { CniError } from './error.ts';
import type { JsonObject } from './json.ts';

/** More than this on stdin is refused: no configuration is that long, and the node's memory is not ours. */
export const stdinLimit = 16 * 1024 * 1024;

/** Where times come from. */
export interface Clock {
  now(): Date;
  /** ms since some moment of the past; never goes back. */
  monotonic(): number;
}

/** All that a plugin has of the world outside its own operation. */
export interface Io {
  readonly environment: Environment;
  readonly clock: Clock;
  /** Everything up to the end, at most `limit + 1` bytes. Rejects with the signal's reason when that comes first. */
  readStdin(limit: number, signal: AbortSignal): Promise<Buffer>;
  /** Writes all of it; throws when it cannot. */
  writeStdout(text: string): void;
  writeStderr(text: string): void;
  /** Calls `end` with the name of each signal that asks this process to end, up to its exit. */
  onSignal(end: (name: string) => void): void;
  /** Ends this process by the signal of that number; resolves only where that fails, which is said on stderr. */
  raise(signal: number): Promise<void>;
}

/** What a call may come without where the plugin has no use for it: a key of the configuration, or a variable. */
export type Needless = 'name' | 'CNI_PATH';

type Operation<T> = (invocation: Invocation) => T | Promise<T>;

/** What a plugin does; a command it has no operation for succeeds and does nothing, as in the reference. */
export interface Plugin {
  /** What others need and this one does without. */
  readonly needless?: readonly Needless[];
  /** The result, in the version that its `cniVersion` names (the configuration's when it names none). */
  readonly add: Operation<JsonObject>;
  readonly check?: Operation<void>;
  readonly del?: Operation<void>;
  readonly gc?: Operation<void>;
  readonly status?: Operation<void>;
  /** Sees the request and what comes of it, whatever that is. Must return what `answer` resolved to, or an error. */
  readonly observe?: (request: Request, answer: () => Promise<Outcome>) => Promise<Outcome>;
}

/** One call as it came, before anything in it was found good or bad. */
export interface Request {
  readonly environment: Environment;
  readonly stdin: Buffer;
  /** What stdin says; undefined when that is not a JSON object. */
  readonly document: JsonObject | undefined;
  /** Aborted with a CniError when the process is asked to end. */
  readonly signal: AbortSignal;
  readonly writeStderr: (text: string) => void;
}

/** A call that fits the specification. */
export interface Invocation extends Request, Parameters {
  readonly configuration: Configuration;
}

export type Outcome = ({ readonly result?: JsonObject } | { readonly error: CniError }) & {
  /** Asked for by the configuration. */
  readonly fault?: AnswerFault | undefined;
};

/** How an answer is spoiled on purpose, for those who test their runtime. */
export interface AnswerFault {
  /** Cut off in the middle, not printed, or printed twice. */
  readonly stdout: 'malformed' | 'empty' | 'twice' | undefined;
  /** The exit status; above 128 the process ends by the signal of the rest. */
  readonly exit: number | undefined;
}

import type { Environment } from './environment.ts';
import { CniError, ErrorCode } from './error.ts';
import type { Invocation, Outcome, Request } from './invocation.ts';
import { type Json, type JsonObject, newObject, stringifyJson } from './json.ts';
import { latestVersion, supportedVersions, type Version } from './version.ts';

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
  /** Calls `end` with the name of a signal that asks this process to end; the returned function stops that. */
  onSignal(end: (name: string) => void): () => void;
}

type Operation<T> = (invocation: Invocation) => T | Promise<T>;

/** What a plugin does; a command it has no operation for succeeds and does nothing, as in the reference. */
export interface Plugin {
  /** The result, in the version that its `cniVersion` names (the configuration's when it names none). */
  readonly add: Operation<JsonObject>;
  readonly check?: Operation<void>;
  readonly del?: Operation<void>;
  readonly gc?: Operation<void>;
  readonly status?: Operation<void>;
  /** Sees the request and what comes of it, whatever that is. Must return what `answer` resolved to, or an error. */
  readonly observe?: (request: Request, answer: () => Promise<Outcome>) => Promise<Outcome>;
}

/**
 * Answers one call of the plugin that `load` brings; the only place that writes stdout, and it writes exactly one
 * JSON value there, or nothing where the specification says so. Resolves to the exit status.
 */
export async function run(about: string, load: (clock: Clock) => Promise<Plugin>, io: Io): Promise<0 | 1> {
  const command = io.environment.CNI_COMMAND ?? '';
  if (command === '') {
    io.writeStderr(`${about}\nCNI protocol versions supported: ${supportedVersions.join(', ')}\n`);
    return 0;
  }
  if (command === 'VERSION') {
    return print(io, { cniVersion: latestVersion, supportedVersions: [...supportedVersions] }) ? 0 : 1;
  }

  const ending = new AbortController();
  const stopListening = io.onSignal((name) => {
    ending.abort(new CniError(ErrorCode.internal, `${command} was ended by ${name}`));
  });
  try {
    // Not above: what VERSION does not need is not loaded for it.
    const [plugin, { call }] = await Promise.all([load(io.clock), import('./invocation.ts')]);
    const { outcome, version } = await call(plugin, io, ending.signal);
    stopListening();
    if ('error' in outcome) return fail(io, outcome.error, version);
    return outcome.result === undefined || print(io, outcome.result) ? 0 : 1;
  } catch (thrown) {
    return fail(io, CniError.from(thrown));
  }
}

/** Prints the error as section 5 has it, in the version of the configuration as far as that is known. */
function fail(io: Io, { code, message, details }: CniError, cniVersion: Version = latestVersion): 1 {
  print(io, { cniVersion, code, msg: message, ...(details === '' ? {} : { details }) });
  return 1;
}

/** Whether it could be written. */
function print(io: Io, document: Readonly<Record<string, Json>>): boolean {
  try {
    io.writeStdout(`${stringifyJson(newObject(Object.entries(document)), '    ')}\n`);
    return true;
  } catch (error) {
    io.writeStderr(
      `stdout could not be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return false;
  }
}

import { type Configuration, parseConfiguration, readConfiguration, versionOf } from './configuration.ts';
import { convertResult } from './conversion.ts';
import { type Parameters, readParameters } from './environment.ts';
import { CniError, ErrorCode } from './error.ts';
import { type JsonObject, newObject } from './json.ts';
import { lookUp } from './keys.ts';
import { type Io, type Outcome, type Plugin, type Request, stdinLimit } from './plugin.ts';
import { isVersion, type Version } from './version.ts';

/** How long a call that fails in any case waits for its configuration: nobody may be there to give one. */
const patienceMs = 500;

/** Hands the call to the plugin. Never rejects; `version` is the one to answer an error in. */
export async function call(
  plugin: Plugin,
  io: Io,
  stdin: Promise<Buffer>,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; version: Version | undefined }> {
  const received = await receive(plugin, io, stdin, signal);
  const answer = () => settle(answerTo(plugin, received));
  const outcome = await settle(plugin.observe?.(received.request, answer) ?? answer());
  return { outcome, version: versionOf(received.request.document) };
}

/**
 * Has the plugin do what the command says; the way of every call, also of one inside this process. The result is in the
 * configuration's version. Rejects with a CniError for a configuration that is wrong, and with what the plugin throws.
 */
export async function operate(plugin: Plugin, request: Request, parameters: Parameters): Promise<Outcome> {
  const { document = newObject() } = request;
  const configuration = readConfiguration(document, parameters.command, plugin.needless);
  const invocation = { ...request, ...parameters, configuration };
  if (parameters.command === 'ADD')
    return { result: inVersionOf(configuration, await plugin.add(invocation)) };
  const { check: CHECK, del: DEL, gc: GC, status: STATUS } = plugin;
  await { CHECK, DEL, GC, STATUS }[parameters.command]?.(invocation);
  return {};
}

interface Received {
  readonly request: Request;
  readonly parameters: Parameters | CniError;
  /** What is wrong with stdin. */
  readonly refusal: CniError | undefined;
}

/** Throws nothing: what is wrong refuses the call later, when the plugin has seen the request. */
async function receive(
  { needless }: Plugin,
  io: Io,
  reading: Promise<Buffer>,
  signal: AbortSignal,
): Promise<Received> {
  const { environment, writeStderr } = io;
  const parameters = attempt(() => readParameters(environment, needless));
  let stdin: Buffer = Buffer.alloc(0);
  let document: JsonObject | undefined;
  let refusal: CniError | undefined;
  try {
    stdin = await (parameters instanceof CniError ? Promise.race([reading, impatience()]) : reading);
    document = parseStdin(stdin);
  } catch (thrown) {
    refusal = thrown instanceof CniError ? thrown : unreadable(thrown);
  }
  return { request: { environment, stdin, document, signal, writeStderr }, parameters, refusal };
}

/** Behind what is there to be read: when a busy node lets us run late, the time may be over and stdin be ready. */
function impatience(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => setImmediate(() => reject(new Error('nothing came'))), patienceMs);
  });
}

function unreadable(cause: unknown): CniError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CniError(ErrorCode.ioFailure, `stdin could not be read: ${reason}`, { cause });
}

function parseStdin(stdin: Buffer): JsonObject {
  if (stdin.length <= stdinLimit) return parseConfiguration(stdin);
  throw new CniError(ErrorCode.decodingFailure, `stdin is longer than ${stdinLimit} bytes (16 MiB)`);
}

async function answerTo(plugin: Plugin, { request, parameters, refusal }: Received): Promise<Outcome> {
  if (parameters instanceof CniError) throw parameters;
  if (refusal !== undefined) throw refusal;
  return operate(plugin, request, parameters);
}

function inVersionOf({ cniVersion }: Configuration, result: JsonObject): JsonObject {
  const version = lookUp(result, 'cniVersion');
  return convertResult(result, isVersion(version) ? version : cniVersion, cniVersion);
}

/** An outcome whatever happens: what was thrown becomes its error. */
async function settle(outcome: Promise<Outcome>): Promise<Outcome> {
  try {
    return await outcome;
  } catch (thrown) {
    return { error: CniError.from(thrown) };
  }
}

function attempt<T>(read: () => T): T | CniError {
  try {
    return read();
  } catch (thrown) {
    return CniError.from(thrown);
  }
}

import { type NetworkList, pluginConfiguration } from '../cni/conflist.ts';
import { convertResult } from '../cni/conversion.ts';
import type { Command, Environment } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { readResult, versionOfResult } from '../cni/result.ts';
import { isAtLeast } from '../cni/version.ts';
import { execPlugin } from './exec-plugin.ts';
import { findPlugin } from './find-plugin.ts';

/** One attachment, as a runtime asks for it. */
export interface RuntimeConfiguration {
  readonly containerID: string;
  readonly netns: string;
  readonly ifName: string;
  /** CNI_ARGS */
  readonly args?: string | undefined;
  readonly capabilityArgs?: JsonObject | undefined;
  /** CNI_PATH: folders with `:` between them. */
  readonly cniPath: string;
  /** For each plugin. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What plugins get besides CNI_*; our own environment unless given. */
  readonly environment?: Environment | undefined;
}

/**
 * ADD of every plugin in order, each with the result of the one before; resolves to the last result, in the list's
 * version. When one fails, every plugin gets its DEL in reverse, and what it said is thrown: a CniError with the
 * plugin's own code that names it and its place. Nothing is cached.
 */
export async function addNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<JsonObject> {
  let prevResult: JsonObject | undefined;
  try {
    for (const member of membersOf(list)) {
      const result = await callPlugin('ADD', member, runtime, prevResult);
      prevResult = inVersionOf(member, result);
    }
  } catch (error) {
    throw await undo(list, runtime, CniError.from(error));
  }
  if (prevResult !== undefined) return prevResult;
  throw new CniError(ErrorCode.invalidConfiguration, `network "${list.name}" has no plugins`);
}

/**
 * DEL of every plugin in reverse. libcni stops at the first error; here the others have their turn, and the first
 * error is thrown when all are done.
 *
 * @param prevResult what ADD resolved to; passed on since 0.4.0 only
 */
export async function delNetworkList(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  prevResult?: JsonObject,
): Promise<void> {
  const passedOn = isAtLeast(list.cniVersion, '0.4.0') ? prevResult : undefined;
  let first: CniError | undefined;
  for (const member of membersOf(list).reverse()) {
    try {
      await callPlugin('DEL', member, runtime, passedOn);
    } catch (error) {
      first ??= CniError.from(error);
    }
  }
  if (first !== undefined) throw first;
}

/**
 * CHECK of every plugin in order, up to the first error, which is thrown; nothing when the list disables it. Throws
 * code 1 before 0.4.0, which has no CHECK.
 */
export async function checkNetworkList(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  prevResult: JsonObject,
): Promise<void> {
  if (!isAtLeast(list.cniVersion, '0.4.0')) {
    const message = `network "${list.name}": version ${list.cniVersion} has no CHECK, it came with 0.4.0`;
    throw new CniError(ErrorCode.incompatibleVersion, message);
  }
  if (list.disableCheck) return;
  for (const member of membersOf(list)) await callPlugin('CHECK', member, runtime, prevResult);
}

/** A plugin at its place in the chain. */
interface Member {
  readonly list: NetworkList;
  readonly plugin: JsonObject;
  readonly type: string;
  /** For messages: `plugin 2 of 3 ("debug")`. */
  readonly place: string;
}

function membersOf(list: NetworkList): Member[] {
  return list.plugins.map((plugin, index) => {
    const type = String(lookUp(plugin, 'type') ?? '');
    return { list, plugin, type, place: `plugin ${index + 1} of ${list.plugins.length} ("${type}")` };
  });
}

/** What the plugin printed, if anything. Throws its error, with its place in the chain. */
async function callPlugin(
  command: Command,
  member: Member,
  runtime: RuntimeConfiguration,
  prevResult: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const { cniPath, capabilityArgs, timeoutMs, signal } = runtime;
  const { list, plugin, type } = member;
  try {
    const path = findPlugin(type, cniPath);
    const configuration = pluginConfiguration(list, plugin, { prevResult, capabilityArgs });
    const environment = environmentOf(runtime);
    const call = await execPlugin({ type, path, command, environment, configuration, timeoutMs, signal });
    if (call.outcome.ok) return call.outcome.result;
    throw call.outcome.error;
  } catch (error) {
    throw placed(CniError.from(error), command, member);
  }
}

/** A result that the specification does not allow is thrown as the error of the plugin that printed it. */
function inVersionOf(member: Member, result: JsonObject | undefined): JsonObject | undefined {
  if (result === undefined) return undefined;
  try {
    const { cniVersion } = member.list;
    const version = versionOfResult(result, cniVersion);
    return convertResult(readResult(result, version, 'result'), version, cniVersion);
  } catch (error) {
    throw placed(CniError.from(error), 'ADD', member);
  }
}

/** The error that ADD failed with; what DEL then had to say is added to its details. */
async function undo(list: NetworkList, runtime: RuntimeConfiguration, failure: CniError): Promise<CniError> {
  try {
    // A call that was ended must still clean up after itself.
    await delNetworkList(list, { ...runtime, signal: undefined });
    return failure;
  } catch (error) {
    const undone = `then DEL failed, too: ${CniError.from(error).message}`;
    const details = failure.details === '' ? undone : `${failure.details}; ${undone}`;
    return new CniError(failure.code, failure.message, { details, cause: failure });
  }
}

function placed(error: CniError, command: Command, { list, place }: Member): CniError {
  const message = `network "${list.name}": ${command} failed at ${place}: ${error.message}`;
  return new CniError(error.code, message, { details: error.details, cause: error });
}

function environmentOf(runtime: RuntimeConfiguration): Environment {
  return {
    ...(runtime.environment ?? process.env),
    CNI_CONTAINERID: runtime.containerID,
    CNI_NETNS: runtime.netns,
    CNI_IFNAME: runtime.ifName,
    CNI_ARGS: runtime.args ?? '',
    CNI_PATH: runtime.cniPath,
  };
}

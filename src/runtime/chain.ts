import { type Injected, type NetworkList, pluginConfiguration } from '../cni/conflist.ts';
import { convertResult } from '../cni/conversion.ts';
import type { Command, Environment } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { readResult, versionOfResult } from '../cni/result.ts';
import { childOf, openTrace, type TraceContext, withTrace } from '../cni/trace-context.ts';
import { isAtLeast } from '../cni/version.ts';
import { attemptAll } from './attempt-all.ts';
import { execPlugin } from './exec-plugin.ts';
import { findPlugin } from './find-plugin.ts';

/** What every call of a plugin needs, whatever it is about. */
export interface Execution {
  /** CNI_PATH: folders with `:` between them. */
  readonly cniPath: string;
  /** For each plugin. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What plugins get besides CNI_*; our own environment unless given. */
  readonly environment?: Environment | undefined;
  /**
   * The trace that calls are a part of, each with a span of its own; unless given, each ADD, DEL and so on of a chain
   * continues the one of the environment, or begins one.
   */
  readonly trace?: TraceContext | undefined;
  /** Is told of each plugin before it is called: `plugin 2 of 3 ("portmap")`. */
  readonly onCall?: ((command: Command, place: string) => void) | undefined;
  /** An open file that the plugins inherit. */
  readonly inherited?: number | undefined;
}

/** One attachment, as a runtime asks for it. */
export interface Attaching extends Execution {
  readonly containerID: string;
  /** A path; may be empty for DEL. */
  readonly netns: string;
  readonly ifName: string;
  /** CNI_ARGS */
  readonly args?: string | undefined;
  readonly capabilityArgs?: JsonObject | undefined;
}

/** What a plugin of a chain failed with: its own code and details, behind its place in the message. */
export class ChainError extends CniError {
  constructor(
    readonly network: string,
    readonly command: Command,
    /** From 1. */
    readonly position: number,
    readonly count: number,
    readonly plugin: string,
    reason: CniError,
    details = reason.details,
  ) {
    const place = `plugin ${position} of ${count} ("${plugin}")`;
    const message = `network "${network}": ${command} failed at ${place}: ${reason.message}`;
    super(reason.code, message, { details, cause: reason });
  }
}

/**
 * ADD of every plugin in order, each with the result of the one before; resolves to the last result, in the list's
 * version. When one fails, every plugin gets its DEL in reverse, and a ChainError is thrown, in whose details is also
 * what DEL had to say.
 */
export async function addChain(list: NetworkList, attaching: Attaching): Promise<JsonObject> {
  const traced = inTrace(attaching);
  let prevResult: JsonObject | undefined;
  try {
    for (const member of membersOf(list)) prevResult = await addOne(member, traced, prevResult);
  } catch (error) {
    throw await undo(list, traced, CniError.from(error));
  }
  if (prevResult !== undefined) return prevResult;
  throw new CniError(ErrorCode.invalidConfiguration, `network "${list.name}" has no plugins`);
}

/**
 * DEL of every plugin in reverse. libcni stops at the first error; here the others have their turn, and the first
 * error is thrown when all are done.
 *
 * @param prevResult what ADD answered; passed on since 0.4.0 only
 */
export async function delChain(
  list: NetworkList,
  attaching: Attaching,
  prevResult: JsonObject | undefined,
): Promise<void> {
  const injected = isAtLeast(list.cniVersion, '0.4.0') ? { prevResult } : {};
  const traced = inTrace(attaching);
  let first: CniError | undefined;
  for (const member of membersOf(list).reverse()) {
    try {
      await callPlugin('DEL', member, traced, injected);
    } catch (error) {
      first ??= CniError.from(error);
    }
  }
  if (first !== undefined) throw first;
}

/** CHECK of every plugin in order, up to the first error, which is thrown. */
export async function checkChain(
  list: NetworkList,
  attaching: Attaching,
  prevResult: JsonObject,
): Promise<void> {
  const traced = inTrace(attaching);
  for (const member of membersOf(list)) await callPlugin('CHECK', member, traced, { prevResult });
}

/** STATUS of every plugin in order, up to the first error, which is thrown. */
export async function statusChain(list: NetworkList, execution: Execution): Promise<void> {
  const traced = inTrace(execution);
  for (const member of membersOf(list)) await callPlugin('STATUS', member, traced, {});
}

/** GC of every plugin, whatever the others say; then the first error is thrown, with the others in its details. */
export async function gcChain(
  list: NetworkList,
  execution: Execution,
  validAttachments: Injected['validAttachments'],
): Promise<void> {
  const traced = inTrace(execution);
  await attemptAll(
    ...membersOf(list).map((member) => () => callPlugin('GC', member, traced, { validAttachments })),
  );
}

type Traced<T extends Execution> = T & { readonly trace: TraceContext };

/** All that is done with it is of one trace. */
function inTrace<T extends Execution>(execution: T): Traced<T> {
  const { environment = process.env } = execution;
  return { ...execution, trace: execution.trace ?? openTrace(environment) };
}

/** A plugin at its place in the chain. */
interface Member {
  readonly list: NetworkList;
  readonly configuration: JsonObject;
  readonly type: string;
  readonly position: number;
}

function membersOf(list: NetworkList): Member[] {
  return list.plugins.map((configuration, index) => ({
    ...{ list, configuration, position: index + 1 },
    type: String(lookUp(configuration, 'type') ?? ''),
  }));
}

/** A result that the specification does not allow is thrown as the error of the plugin that printed it. */
async function addOne(
  member: Member,
  attaching: Traced<Attaching>,
  prevResult: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const result = await callPlugin('ADD', member, attaching, { prevResult });
  if (result === undefined) return undefined;
  try {
    const { cniVersion } = member.list;
    const version = versionOfResult(result, cniVersion);
    return convertResult(readResult(result, version, 'result'), version, cniVersion);
  } catch (error) {
    throw placed(CniError.from(error), 'ADD', member);
  }
}

/** What the plugin printed, if anything. Throws its error, with its place in the chain. */
async function callPlugin(
  command: Command,
  member: Member,
  execution: Traced<Execution | Attaching>,
  injected: Injected,
): Promise<JsonObject | undefined> {
  const { cniPath, timeoutMs, signal, inherited, onCall } = execution;
  const { list, type, position } = member;
  onCall?.(command, `plugin ${position} of ${list.plugins.length} ("${type}")`);
  try {
    const path = findPlugin(type, cniPath);
    const attaching = attachingOf(command, execution);
    const capabilityArgs = attaching?.capabilityArgs;
    const configuration = pluginConfiguration(list, member.configuration, { ...injected, capabilityArgs });
    const environment = withTrace(environmentOf(execution, attaching), childOf(execution.trace));
    const request = { type, path, command, environment, configuration, timeoutMs, signal, inherited };
    const { outcome } = await execPlugin(request);
    if (outcome.ok) return outcome.result;
    throw outcome.error;
  } catch (error) {
    throw placed(CniError.from(error), command, member);
  }
}

/** The error that ADD failed with; what DEL then had to say is added to its details. */
async function undo(list: NetworkList, attaching: Attaching, failure: CniError): Promise<CniError> {
  try {
    // A call that was ended must still clean up after itself.
    await delChain(list, { ...attaching, signal: undefined }, undefined);
    return failure;
  } catch (error) {
    const undone = `then DEL failed, too: ${CniError.from(error).message}`;
    const details = failure.details === '' ? undone : `${failure.details}; ${undone}`;
    if (!(failure instanceof ChainError))
      return new CniError(failure.code, failure.message, { details, cause: failure });
    const { network, command, position, count, plugin, cause } = failure;
    return new ChainError(network, command, position, count, plugin, CniError.from(cause), details);
  }
}

function placed(error: CniError, command: Command, { list, position, type }: Member): ChainError {
  return new ChainError(list.name, command, position, list.plugins.length, type, error);
}

/** GC and STATUS are about no attachment, whatever else their caller knows. */
function attachingOf(command: Command, execution: Execution | Attaching): Attaching | undefined {
  const isOfNetwork = command === 'GC' || command === 'STATUS';
  return 'containerID' in execution && !isOfNetwork ? execution : undefined;
}

function environmentOf(
  { cniPath, environment = process.env }: Execution,
  attaching?: Attaching,
): Environment {
  // What our own caller may have set is about another call.
  const others = Object.entries(environment).filter(([name]) => !variables.includes(name));
  const own = { ...Object.fromEntries(others), CNI_PATH: cniPath };
  if (attaching === undefined) return own;
  const { containerID, netns, ifName, args = '' } = attaching;
  return { ...own, CNI_CONTAINERID: containerID, CNI_NETNS: netns, CNI_IFNAME: ifName, CNI_ARGS: args };
}

const variables = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH'];

import { type Injected, type NetworkList, pluginConfiguration } from '../cni/conflist.ts';
import type { Command, Environment } from '../cni/environment.ts';
import { CniError } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { childOf, openTrace, type TraceContext, withTrace } from '../cni/trace-context.ts';
import { execPlugin } from './exec-plugin.ts';
import type { Attaching, Execution } from './execution.ts';
import { findPlugin } from './find-plugin.ts';

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

export type Traced<T extends Execution> = T & { readonly trace: TraceContext };

/** All that is done with it is of one trace. */
export function inTrace<T extends Execution>(execution: T): Traced<T> {
  const { environment = process.env } = execution;
  return { ...execution, trace: execution.trace ?? openTrace(environment) };
}

/** A plugin at its place in the chain. */
export interface Member {
  readonly list: NetworkList;
  readonly configuration: JsonObject;
  readonly type: string;
  readonly position: number;
}

/** In the order of ADD. */
export function membersOf(list: NetworkList): Member[] {
  return list.plugins.map((configuration, index) => ({
    ...{ list, configuration, position: index + 1 },
    type: String(lookUp(configuration, 'type') ?? ''),
  }));
}

/** What the plugin printed, if anything. Throws its error, with its place in the chain. */
export async function callPlugin(
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

/** The error of a plugin as the whole chain has it. */
export function placed(error: CniError, command: Command, { list, position, type }: Member): ChainError {
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

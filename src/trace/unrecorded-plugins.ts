import { isObject, type Json, type JsonObject, stringifyJson } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import type { StoredRecord } from './stored-record.ts';

/** The plugins of a network, as they are configured, in the order of ADD. */
export type Chain = readonly JsonObject[];

/**
 * The types of the plugins that ran before each call of an operation, since the one before it, and last of those behind
 * all of them. Undefined where the calls are none of this chain, which may have been changed since.
 */
export function unrecordedPlugins(calls: readonly StoredRecord[], chain: Chain): string[][] | undefined {
  const order = calls[0]?.command === 'DEL' ? [...chain].reverse() : chain;
  const between: string[][] = [];
  let next = 0;
  for (const call of calls) {
    const index = order.findIndex((plugin, at) => at >= next && isOf(call, plugin));
    if (index < 0) return undefined;
    between.push(order.slice(next, index).map(typeOf));
    next = index + 1;
  }
  return [...between, order.slice(next).map(typeOf)];
}

/** Whether a call was configured by this element: the runtime adds to it, and takes nothing away. */
function isOf({ document }: StoredRecord, plugin: JsonObject): boolean {
  const { configuration } = document;
  if (!isObject(configuration)) return false;
  return Object.entries(plugin).every(([name, value]) => isSame(configuration[name], value));
}

function isSame(one: Json | undefined, other: Json): boolean {
  return one !== undefined && stringifyJson(one) === stringifyJson(other);
}

function typeOf(plugin: JsonObject): string {
  return String(lookUp(plugin, 'type') ?? '');
}

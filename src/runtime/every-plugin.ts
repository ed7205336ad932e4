import type { NetworkList } from '../cni/conflist.ts';
import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';

/** The configurations of a network's plugins, and of those that they are said to delegate to. */
export function everyPlugin({ plugins }: Pick<NetworkList, 'plugins'>): JsonObject[] {
  return plugins.flatMap(withDelegates);
}

/** The texts that `key` has in the object `name` of any of these plugins. */
export function textsIn(list: Pick<NetworkList, 'plugins'>, name: string, key: string): string[] {
  return everyPlugin(list).flatMap((plugin) => {
    const object = lookUp(plugin, name);
    const text = isObject(object) ? lookUp(object, key) : undefined;
    return typeof text === 'string' ? [text] : [];
  });
}

/** `debug` may have a list of them. */
function withDelegates(plugin: Json): JsonObject[] {
  if (!isObject(plugin)) return [];
  const delegates: Json[] = [lookUp(plugin, 'delegate') ?? []].flat();
  return [plugin, ...delegates.flatMap(withDelegates)];
}

import { isObject, type JsonObject, newObject, stringifyJson } from '../cni/json.ts';
import { lookUp, withoutKeys } from '../cni/keys.ts';
import { networkFiles } from '../runtime/network-files.ts';
import type { StoredRecord } from '../trace/stored-record.ts';

/**
 * Where in its chain the plugin stands that made a record, as `2/3`. No runtime tells a plugin that: it is looked up in
 * the network's configuration of today, and only said where there is but one plugin that it can be.
 */
export function chainPositions(confDir: string): (record: StoredRecord) => string | undefined {
  const chains = new Map<string, readonly JsonObject[]>();
  return ({ network, plugin, document }) => {
    if (chains.size === 0) readChains(confDir, chains);
    const plugins = chains.get(network);
    if (plugins === undefined) return undefined;
    const ofType = plugins.filter((one) => lookUp(one, 'type') === plugin);
    const [found, ...others] = ofType.length === 1 ? ofType : ofType.filter((one) => isSame(one, document));
    if (found === undefined || others.length > 0) return undefined;
    return `${plugins.indexOf(found) + 1}/${plugins.length}`;
  };
}

/** A configuration that cannot be read places nothing, and is no reason not to show records. */
function readChains(confDir: string, chains: Map<string, readonly JsonObject[]>): void {
  // Never empty again, so that it is read once.
  chains.set('', []);
  try {
    for (const { list } of networkFiles(confDir).networks) {
      if (!chains.has(list.name)) chains.set(list.name, list.plugins);
    }
  } catch {
    // As above.
  }
}

/** What a runtime puts into a plugin's configuration, or takes out (section 3, "Deriving runtime configuration"). */
const derived = ['name', 'cniVersion', 'runtimeConfig', 'capabilities', 'args', 'prevResult'];

function isSame(plugin: JsonObject, { configuration }: JsonObject): boolean {
  return isObject(configuration) && inOrder(plugin) === inOrder(configuration);
}

function inOrder(configuration: JsonObject): string {
  const own = withoutKeys(configuration, ...derived);
  return stringifyJson(newObject(Object.entries(own).sort(([one], [other]) => (one < other ? -1 : 1))));
}

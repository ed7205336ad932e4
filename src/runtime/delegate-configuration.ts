import type { Configuration } from '../cni/configuration.ts';
import { isObject, type JsonObject, newObject } from '../cni/json.ts';
import { lookUp, withKey, withoutKeys } from '../cni/keys.ts';

/** What the runtime gave to the delegating plugin, which a delegate gets in place of anything of its own. */
const inherited = ['cniVersion', 'name', 'prevResult', 'cni.dev/valid-attachments', 'cni.dev/attachments'];

/**
 * What a delegate gets on stdin, for every command (section 4, "Delegated Plugins"): its own object, whose keys keep
 * their spelling, and of the delegating plugin's configuration what the runtime said. `runtimeConfig` is cut to the
 * capabilities that the delegate declares, if it declares any; the declaration itself is for runtimes and stays here.
 */
export function delegateConfiguration(outer: Configuration, delegate: JsonObject): JsonObject {
  let configuration = withoutKeys(delegate, 'capabilities');
  for (const name of inherited) {
    const value = name === 'cniVersion' ? outer.cniVersion : lookUp(outer.document, name);
    if (value !== undefined) configuration = withKey(configuration, name, value);
  }
  const args = lookUp(outer.document, 'args');
  if (args !== undefined && lookUp(delegate, 'args') === undefined)
    configuration = withKey(configuration, 'args', args);
  const runtimeConfig = outer.runtimeConfig && cut(outer.runtimeConfig, lookUp(delegate, 'capabilities'));
  if (runtimeConfig === undefined || Object.keys(runtimeConfig).length === 0) return configuration;
  return withKey(configuration, 'runtimeConfig', runtimeConfig);
}

function cut(runtimeConfig: JsonObject, capabilities: unknown): JsonObject {
  if (!isObject(capabilities) || Object.keys(capabilities).length === 0) return runtimeConfig;
  return newObject(Object.entries(runtimeConfig).filter(([name]) => capabilities[name] === true));
}

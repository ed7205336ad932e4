import { lookUp } from '../cni/keys.ts';
import { keyPath } from '../cni/problem.ts';
import { ipamKeys } from './ipam-keys.ts';
import { type KeyFault, structFaults } from './key-fault.ts';
import { keysOfPlugin, listKeys } from './known-keys.ts';
import type { LintedFile } from './linted-file.ts';
import { ipamTypeOf, isBridgeItself, type LintedPlugin, pluginsOf } from './linted-plugin.ts';
import { isNodeSubnet } from './subnet-use.ts';

/** A fault with the plugin whose key it is; without one for a key of the list. */
export type FileFault = KeyFault & { readonly plugin?: LintedPlugin };

/** Several rules ask for them, one after the other. */
const known = new WeakMap<LintedFile, readonly FileFault[]>();

/** What Go's decoder would not take of a file, or would leave alone; paths are from its root. */
export function keyFaultsOf(file: LintedFile): readonly FileFault[] {
  const faults = known.get(file) ?? faultsOf(file);
  known.set(file, faults);
  return faults;
}

function faultsOf(file: LintedFile): FileFault[] {
  const { document } = file;
  if (document === undefined) return [];
  const isList = lookUp(document.value, 'plugins') !== undefined || file.isList;
  const ofList = isList ? structFaults(document.root, listKeys) : [];
  return [...ofList, ...pluginsOf(file).flatMap((plugin) => faultsOfPlugin(plugin))];
}

function faultsOfPlugin(plugin: LintedPlugin): FileFault[] {
  const { file, path, type, value } = plugin;
  const ipamType = isNodeSubnet(plugin) ? 'host-local' : ipamTypeOf(value);
  const keys = keysOfPlugin(type, { isBridge: isBridgeItself(plugin), ipamType });
  // Of a plugin that is not known the addresses may still be of one that is.
  const [at, schema] = keys === undefined ? [keyPath(path, 'ipam'), ipamKeys(ipamType)] : [path, keys];
  const node = file.document?.node(at);
  if (node === undefined || schema.kind !== 'struct') return [];
  return structFaults(node, schema, at).map((fault) => ({ ...fault, plugin }));
}

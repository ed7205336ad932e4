import { isObject, type Json } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import type { Draft } from '../finding.ts';
import { type LintedFile, pluginFolderOf } from '../linted-file.ts';
import { type LintedPlugin, nameOf, pathIn } from '../linted-plugin.ts';
import type { Rule } from '../rule.ts';
import { isNodeSubnet } from '../subnet-use.ts';

export const missingKey: Rule = {
  id: 'L005',
  name: 'missing-key',
  severity: 'error',
  summary: 'A key is missing without which a runtime or a plugin refuses the configuration.',
  *check({ files, plugins }) {
    for (const file of files) {
      yield* missingName(file);
      yield* missingPlugins(file);
    }
    for (const plugin of plugins) {
      yield* missingType(plugin);
      yield* missingIpamType(plugin);
    }
  },
};

/** That of loopback is older than the names of networks. */
function* missingName(file: LintedFile): Generator<Draft> {
  const value = file.document?.value;
  if (value === undefined || !isEmpty(lookUp(value, 'name'))) return;
  if (lookUp(value, 'type') === 'loopback' && lookUp(value, 'plugins') === undefined) return;
  const fix = 'add "name": leases and cached results are kept under it, so it must not change later';
  yield { file, path: 'name', message: 'the network has no "name"', fix };
}

function* missingPlugins(file: LintedFile): Generator<Draft> {
  const value = file.document?.value;
  if (value === undefined) return;
  const [name, listed, type] = ['name', 'plugins', 'type'].map((key) => lookUp(value, key));
  const isBare = listed === undefined && type === undefined;
  const isEmptyList = Array.isArray(listed) && listed.length === 0;
  if (!isBare && !isEmptyList) return;
  if (file.isList && typeof name === 'string' && pluginFolderOf(file.path, name).length > 0) return;
  const message = isBare ? 'there is neither "plugins" nor "type"' : 'the list has no plugin in it';
  yield { file, path: 'plugins', message, fix: 'add the plugins of the chain, each with its "type"' };
}

function* missingType(plugin: LintedPlugin): Generator<Draft> {
  // That of a delegate of flannel may be missing.
  if (plugin.type !== '' || !isEmpty(lookUp(plugin.value, 'type'))) return;
  const path = pathIn(plugin, 'type');
  const fix = 'add "type": the name of its executable';
  yield { file: plugin.file, path, message: 'the plugin has no "type"', fix, covers: [path] };
}

function* missingIpamType(plugin: LintedPlugin): Generator<Draft> {
  const ipam = lookUp(plugin.value, 'ipam');
  const isMeant = isObject(ipam) && Object.keys(ipam).length > 0 && isEmpty(lookUp(ipam, 'type'));
  // Flannel writes it, and beside a subnet it can be but one.
  if (!isMeant || plugin.type === 'flannel' || isNodeSubnet(plugin)) return;
  yield {
    file: plugin.file,
    path: pathIn(plugin, 'ipam'),
    message: `"ipam" of ${nameOf(plugin)} has no "type", so nobody reads the rest of it`,
    fix: 'add "type" to it: "host-local", if it has ranges',
  };
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '';
}

import { isObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import type { Node } from '../json-node.ts';
import { keyFaultsOf } from '../key-faults.ts';
import { type Schema, schemaName } from '../key-schema.ts';
import { pluginFolderOf } from '../linted-file.ts';
import { nameOf, pathIn } from '../linted-plugin.ts';
import { readingProblems } from '../reading.ts';
import type { Rule } from '../rule.ts';
import { similarKey } from '../similar-key.ts';
import { isNodeSubnet } from '../subnet-use.ts';

export const missingKey: Rule = {
  id: 'L005',
  name: 'missing-key',
  severity: 'error',
  summary: 'A key is missing without which a runtime or a plugin refuses the configuration.',
  *check({ files, plugins }) {
    for (const file of files) {
      const value = file.document?.value;
      if (value === undefined) continue;
      const listed = lookUp(value, 'plugins');
      const type = lookUp(value, 'type');
      // That of loopback is older than the name of a network.
      if (isEmpty(lookUp(value, 'name')) && !(type === 'loopback' && listed === undefined))
        yield {
          file,
          path: 'name',
          message: 'the network has no "name"',
          fix: 'add "name": leases and cached results are kept under it, so it must not change later',
        };
      const isAlone = listed === undefined && type === undefined;
      const name = lookUp(value, 'name');
      const isInFolder =
        file.isList && typeof name === 'string' && pluginFolderOf(file.path, name).length > 0;
      if ((isAlone && !isInFolder) || (Array.isArray(listed) && listed.length === 0 && !isInFolder))
        yield {
          file,
          path: 'plugins',
          message: isAlone ? 'there is neither "plugins" nor "type"' : 'the list has no plugin in it',
          fix: 'add the plugins of the chain, each with its "type"',
        };
    }
    for (const plugin of plugins) {
      const { file, type, value } = plugin;
      if (isEmpty(lookUp(value, 'type')) && type === '')
        yield {
          file,
          path: pathIn(plugin, 'type'),
          message: 'the plugin has no "type"',
          fix: 'add "type": the name of its executable',
          covers: [pathIn(plugin, 'type')],
        };
      const ipam = lookUp(value, 'ipam');
      const isMeant = isObject(ipam) && Object.keys(ipam).length > 0 && type !== 'flannel';
      if (isMeant && isEmpty(lookUp(ipam, 'type')) && !isNodeSubnet(plugin))
        yield {
          file,
          path: pathIn(plugin, 'ipam'),
          message: `"ipam" of ${nameOf(plugin)} has no "type", so nobody reads the rest of it`,
          fix: 'add "type" to it: "host-local", if it has ranges',
        };
    }
  },
};

export const unknownKey: Rule = {
  id: 'L006',
  name: 'unknown-key',
  severity: 'warning',
  summary: 'A key that the plugin does not know: it is left alone, and nothing says so.',
  *check({ files }) {
    for (const file of files)
      for (const fault of keyFaultsOf(file)) {
        if (fault.kind !== 'unknown') continue;
        const { path, extent, key, plugin, known } = fault;
        const owner = plugin === undefined ? 'a list of plugins' : nameOf(plugin);
        const meant = similarKey(key, known);
        yield {
          file,
          path,
          extent,
          message: `${owner} knows no key ${JSON.stringify(key)} here, and leaves it alone`,
          fix:
            meant === undefined
              ? 'remove it, or look up how it is called'
              : `write "${meant}", if that is meant`,
        };
      }
  },
};

export const miscasedKey: Rule = {
  id: 'L007',
  name: 'miscased-key',
  severity: 'warning',
  summary: 'A key in other case than its own: Go takes it, and plugins that are not in Go may not.',
  *check({ files }) {
    for (const file of files)
      for (const fault of keyFaultsOf(file)) {
        if (fault.kind !== 'miscased') continue;
        const { path, extent, key, spelling } = fault;
        const message = `${JSON.stringify(key)} is taken for "${spelling}" by plugins that are written in Go, and by others perhaps not`;
        yield { file, path, extent, message, fix: `write "${spelling}"` };
      }
  },
};

export const wrongType: Rule = {
  id: 'L008',
  name: 'wrong-type',
  severity: 'error',
  summary: 'A value of another JSON type than its key has: the plugin refuses the whole configuration.',
  *check({ files }) {
    for (const file of files)
      for (const fault of keyFaultsOf(file)) {
        if (fault.kind !== 'wrong-type') continue;
        const { path, extent, node, schema } = fault;
        yield {
          file,
          path,
          extent,
          message: `${path}: this is ${typeName(node)}, and must be ${schemaName(schema)}`,
          fix: rewritten(node, schema) ?? `write ${schemaName(schema)}`,
          covers: [path],
        };
      }
  },
};

export const wrongValue: Rule = {
  id: 'L009',
  name: 'wrong-value',
  severity: 'error',
  summary: 'A value that the plugin refuses, in the words it refuses it with.',
  *check({ plugins, readers }) {
    for (const { plugin, at, message, page } of plugins.flatMap((plugin) => readingProblems(plugin, readers)))
      yield { file: plugin.file, path: at, message, fix: `see ${page} for what it may be` };
  },
};

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function typeName({ type, value }: Node): string {
  if (type === 'boolean') return String(value);
  if (type === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction';
  return type === 'array' ? 'a list' : type === 'object' ? 'an object' : `a ${type}`;
}

/** What was meant, where that is plain. */
function rewritten({ type, value }: Node, { kind }: Schema): string | undefined {
  const isNumber = kind === 'integer' || kind === 'unsigned';
  if (type === 'string' && isNumber && /^-?\d+$/.test(value)) return `write ${value}, without quotes`;
  if (type === 'string' && kind === 'boolean' && /^(true|false)$/i.test(value))
    return `write ${value.toLowerCase()}, without quotes`;
  if (type === 'number' && isNumber && Number.isSafeInteger(value)) return `write ${value}`;
  if (kind === 'string' && (type === 'number' || type === 'boolean')) return `write "${value}", in quotes`;
  if (kind === 'list' && type !== 'array') return 'put it in brackets: [ ]';
  return undefined;
}

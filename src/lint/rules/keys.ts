import { conflistProblems } from '../../cni/conflist.ts';
import { isSameKey } from '../../cni/keys.ts';
import { keyPath } from '../../cni/problem.ts';
import { ipamKeys } from '../ipam-keys.ts';
import type { Node } from '../json-node.ts';
import { keyFaultsOf } from '../key-faults.ts';
import { type Schema, schemaName } from '../key-schema.ts';
import { keysOfPlugin } from '../known-keys.ts';
import { ipamTypeOf, type LintedPlugin, nameOf, pathIn } from '../linted-plugin.ts';
import { readingProblems } from '../reading.ts';
import type { Rule } from '../rule.ts';
import { similarKey } from '../similar-key.ts';

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
        // One that is right in another place is no slip of this one.
        const there = plugin && elsewhere(plugin, path, key);
        const here =
          meant === undefined
            ? 'remove it, or look up how it is called'
            : `write "${meant}", if that is meant`;
        const message = `${owner} knows no key ${JSON.stringify(key)} here, and leaves it alone`;
        yield { file, path, extent, message, fix: there ?? here };
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
  *check(context) {
    const { files, plugins } = context;
    for (const file of files)
      for (const { path, message } of file.document === undefined
        ? []
        : conflistProblems(file.document.value))
        yield {
          file,
          path,
          message: `a runtime refuses it: ${message}`,
          fix: 'see section 1 of the specification, https://www.cni.dev/docs/spec/, for what it may be',
        };
    for (const { plugin, at, message, page } of plugins.flatMap((plugin) => readingProblems(plugin, context)))
      yield { file: plugin.file, path: at, message, fix: `see ${page} for what it may be` };
  },
};

/** A key that stands beside the `ipam` that it is of, or in the `ipam` of the plugin that it is of. */
function elsewhere(plugin: LintedPlugin, path: string, key: string): string | undefined {
  const ipamType = ipamTypeOf(plugin.value);
  const ipam = ipamKeys(ipamType);
  const isOf = (schema: Schema | undefined) =>
    schema?.kind === 'struct' && Object.keys(schema.keys).some((known) => isSameKey(known, key));
  if (path === pathIn(plugin, key) && isOf(ipam)) return `move it into "ipam", where "${ipamType}" reads it`;
  const isInIpam = path === keyPath(pathIn(plugin, 'ipam'), key);
  if (isInIpam && isOf(keysOfPlugin(plugin.type, { ipamType })))
    return `move it out of "ipam", to where ${nameOf(plugin)} reads it`;
  return undefined;
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

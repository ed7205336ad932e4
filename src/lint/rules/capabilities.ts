import { isObject, type JsonObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { keyPath } from '../../cni/problem.ts';
import { type LintedPlugin, nameOf, pathIn } from '../linted-plugin.ts';
import type { Rule } from '../rule.ts';
import { similarKey } from '../similar-key.ts';

/** What runtimes have something to say about (CONVENTIONS.md of containernetworking/cni; the last is containerd's). */
const knownCapabilities = [
  'aliases',
  'bandwidth',
  'cgroupPath',
  'deviceID',
  'dns',
  'infinibandGUID',
  'ipRanges',
  'ips',
  'mac',
  'portMappings',
  'io.kubernetes.cri.pod-annotations',
];

/** By type: what it does nothing without. */
const needed: Readonly<Record<string, { capability: string; insteadOf: readonly string[] }>> = {
  portmap: { capability: 'portMappings', insteadOf: [] },
  bandwidth: { capability: 'bandwidth', insteadOf: ['ingressRate', 'egressRate'] },
};

export const capabilityNotDeclared: Rule = {
  id: 'L016',
  name: 'capability-not-declared',
  severity: 'warning',
  summary: 'A plugin does not declare the capability that it works by: the runtime tells it nothing.',
  *check({ plugins }) {
    for (const plugin of plugins) {
      const { file, type, value, outer } = plugin;
      const use = Object.hasOwn(needed, type) ? needed[type] : undefined;
      const isUsed = use !== undefined && !use.insteadOf.some((key) => lookUp(value, key) !== undefined);
      const wanted = new Set(isUsed ? [use.capability] : []);
      if (outer?.type === 'debug') for (const name of declaredBy(value)) wanted.add(name);
      for (const capability of wanted) {
        if (isGiven(plugin, capability)) continue;
        const declaring = outer?.type === 'debug' && isDeclared(plugin, capability) ? outer : plugin;
        yield {
          file,
          path: pathIn(
            declaring,
            lookUp(declaring.value, 'capabilities') === undefined ? 'type' : 'capabilities',
          ),
          message:
            declaring === plugin
              ? `${nameOf(plugin)} does not declare "${capability}", so that the runtime tells it nothing of these`
              : `"debug" does not declare "${capability}", so that its delegate ${nameOf(plugin)} is told nothing of these`,
          fix: `add "capabilities": { "${capability}": true } to ${nameOf(declaring)}`,
        };
      }
    }
  },
};

export const unknownCapability: Rule = {
  id: 'L017',
  name: 'unknown-capability',
  severity: 'warning',
  summary: 'A plugin declares a capability that no runtime has anything to say about.',
  *check({ plugins }) {
    for (const plugin of plugins)
      for (const name of declaredBy(plugin.value)) {
        if (knownCapabilities.includes(name)) continue;
        const meant = similarKey(name, knownCapabilities);
        yield {
          file: plugin.file,
          path: keyPath(pathIn(plugin, 'capabilities'), name),
          side: 'key',
          message: `no runtime known here has a capability ${JSON.stringify(name)}`,
          fix:
            meant === undefined
              ? 'remove it, unless your own runtime has it'
              : `write "${meant}": case counts here`,
        };
      }
  },
};

/** Whether the runtime's word comes to it: through `debug` only what both of them declare, if it declares any. */
function isGiven(plugin: LintedPlugin, capability: string): boolean {
  const { value, outer } = plugin;
  const fixed = lookUp(value, 'runtimeConfig');
  if (isObject(fixed) && lookUp(fixed, capability) !== undefined) return true;
  if (outer === undefined) return isDeclared(plugin, capability);
  return isGiven(outer, capability) && (declaredBy(value).length === 0 || isDeclared(plugin, capability));
}

function isDeclared({ value, outer }: LintedPlugin, capability: string): boolean {
  const declared = declaredBy(value);
  return declared.includes(capability) || (outer !== undefined && declared.length === 0);
}

/** Those that are `true`. */
function declaredBy(value: JsonObject): string[] {
  const capabilities = lookUp(value, 'capabilities');
  return isObject(capabilities)
    ? Object.keys(capabilities).filter((name) => capabilities[name] === true)
    : [];
}

import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { isObject, type JsonObject, newObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import { lookUp } from '../../src/cni/keys.ts';
import type { Problem } from '../../src/cni/problem.ts';

/** The keys of the `flannel` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Throws code 7 with the path of each value that is wrong. */
export function readSettings(document: JsonObject): Settings {
  const keys = new KeyReader(document);
  const settings = soundSettings(keys);
  keys.throwProblems();
  return settings;
}

/** All that `readSettings` would refuse. */
export function settingsProblems(document: JsonObject): readonly Problem[] {
  const keys = new KeyReader(document);
  soundSettings(keys);
  return keys.problems;
}

/** With what is wrong though each key is right by itself. */
function soundSettings(keys: KeyReader): Settings {
  const settings = settingsFrom(keys);
  for (const name of ['name', 'ipam']) {
    const instead = name === 'ipam' ? '; put "ipam" beside "delegate"' : '';
    const message = `delegate.${name}: must not be there, flannel sets it${instead}`;
    keys.refuse(lookUp(settings.delegate, name) !== undefined, 'delegate', message);
  }
  return settings;
}

/** For what removes things: a key with a problem counts as absent, because it must not keep a pod from ending. */
export function readUsableSettings(document: JsonObject): {
  settings: Settings;
  problems: readonly Problem[];
} {
  const keys = new KeyReader(document);
  return { settings: settingsFrom(keys), problems: keys.problems };
}

function settingsFrom(keys: KeyReader) {
  return {
    /** What flanneld says of this node. */
    subnetFile: keys.read('subnetFile', path, '/run/flannel/subnet.env'),
    /** Where the configuration of each attachment's delegate is kept. */
    dataDir: keys.read('dataDir', path, '/var/lib/cni/flannel').replace(/(.)\/+$/, '$1'),
    /** The type of the delegate, and what its configuration begins with. */
    ...keys.read('delegate', delegate, { type: 'bridge', delegate: newObject() }),
    /** What the delegate's `ipam` begins with. */
    ipam: keys.read('ipam', ipam, newObject()),
  };
}

function path(value: ConfigurationValue): string | undefined {
  const text = value.text() ?? '';
  if (text === '' || text.startsWith('/')) return text || undefined;
  throw value.error('is not an absolute path');
}

function delegate(value: ConfigurationValue): { type: string; delegate: JsonObject } | undefined {
  const delegate = value.object();
  if (delegate === undefined) return undefined;
  const named = value.key('type');
  const type = named.text() ?? 'bridge';
  if (type === '' || type.includes('/')) throw named.error('is not the name of a plugin');
  refuseItself(value);
  return { type, delegate };
}

/**
 * Throws code 7 where a delegate, or one that it delegates to in its turn as `debug` does, is this plugin: both would keep
 * their state under one name, and each would find the other in it.
 */
export function refuseItself(value: ConfigurationValue): void {
  const type = value.key('type');
  if (type.value === 'flannel') throw type.error('is this plugin itself');
  const inner = value.key('delegate');
  const delegates = Array.isArray(inner.value) ? inner.elements() : [inner];
  for (const delegate of delegates.filter(({ value }) => isObject(value))) refuseItself(delegate);
}

function ipam(value: ConfigurationValue): JsonObject | undefined {
  for (const route of value.key('routes').elements()) {
    if (route.object() === undefined) throw route.error('');
  }
  return value.object();
}

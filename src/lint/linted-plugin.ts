import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { keyPath } from '../cni/problem.ts';
import type { LintedFile } from './linted-file.ts';

/** A plugin at its place in a chain, or one that another plugin runs in its own place. */
export interface LintedPlugin {
  readonly file: LintedFile;
  /** Of its object in the file; empty for that of a `.conf`. */
  readonly path: string;
  /** Empty when it names none. */
  readonly type: string;
  readonly value: JsonObject;
  /** Nothing before it has made an interface. */
  readonly isFirst: boolean;
  /** Whose delegate it is. */
  readonly outer?: LintedPlugin;
}

/** Every plugin of a file in the order of the text, each before its delegates. What is no object is left out. */
export function pluginsOf(file: LintedFile): LintedPlugin[] {
  const value = file.document?.value;
  if (value === undefined) return [];
  const listed = lookUp(value, 'plugins');
  if (listed === undefined)
    return lookUp(value, 'type') === undefined ? [] : withDelegates({ file, path: '', value, isFirst: true });
  return among(listed).flatMap(({ value, index }) =>
    withDelegates({ file, path: `plugins[${index}]`, value, isFirst: index === 0 }),
  );
}

/** Whether `debug` is itself the bridge, whose keys stand beside its own then. */
export function isBridgeItself({ type, value }: LintedPlugin): boolean {
  const isAbsent = (key: string) => (lookUp(value, key) ?? null) === null;
  if (type !== 'debug' || !isAbsent('delegate')) return false;
  return ipamTypeOf(value) !== '' || (!isAbsent('bridge') && !(isAbsent('ipam') && isAbsent('subnet')));
}

/** Whether it makes its interface as the plugin `bridge` does. */
export function isBridge(plugin: LintedPlugin): boolean {
  return plugin.type === 'bridge' || isBridgeItself(plugin);
}

/** Whom it gets addresses from; empty for nobody. */
export function ipamTypeOf(value: JsonObject): string {
  const ipam = lookUp(value, 'ipam');
  const type = isObject(ipam) ? lookUp(ipam, 'type') : undefined;
  return typeof type === 'string' ? type : '';
}

/** The path of a key of the plugin in its file. */
export function pathIn({ path }: LintedPlugin, key: string): string {
  return key === '' ? path : keyPath(path, key);
}

/** `true` written so. */
export function hasFlag(value: JsonObject, name: string): boolean {
  return lookUp(value, name) === true;
}

/** In messages: `"bridge"`. */
export function nameOf({ type }: LintedPlugin): string {
  return JSON.stringify(type);
}

function withDelegates(own: Omit<LintedPlugin, 'type'>, otherwise = ''): LintedPlugin[] {
  const type = lookUp(own.value, 'type') ?? otherwise;
  const plugin: LintedPlugin = { ...own, type: typeof type === 'string' ? type : '' };
  const { file, value, isFirst } = plugin;
  const delegate =
    plugin.type === 'debug' || plugin.type === 'flannel' ? lookUp(value, 'delegate') : undefined;
  const path = keyPath(own.path, 'delegate');
  if (isObject(delegate))
    return [
      plugin,
      ...withDelegates(
        { file, path, value: delegate, isFirst, outer: plugin },
        plugin.type === 'flannel' ? 'bridge' : '',
      ),
    ];
  if (plugin.type !== 'debug') return [plugin];
  const inner = among(delegate).flatMap(({ value, index }) =>
    withDelegates({ file, path: `${path}[${index}]`, value, isFirst: isFirst && index === 0, outer: plugin }),
  );
  return [plugin, ...inner];
}

function among(list: Json | undefined): { value: JsonObject; index: number }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index) => (isObject(value) ? [{ value, index }] : []));
}

import { type Node, parseTree } from 'jsonc-parser/lib/esm/main.js';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { isObject, type JsonObject, newObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { deeper, endOf, layoutOf, separatorAt, writeObject } from './json-layout.ts';
import { isSameJson } from './same-json.ts';

/** What becomes of a chain. */
export type Place =
  /** Behind the first plugin of this type; without one, behind the first plugin. */
  | { readonly kind: 'insert'; readonly after?: string | undefined }
  /** All plugins of these types move under `delegate`; without any, all plugins. */
  | { readonly kind: 'wrap'; readonly types: readonly string[] };

export interface Edit {
  /** The whole document; the same one when there was nothing to do. */
  readonly text: string;
  /** What was done, for a person: `inserted "debug" behind "flannel"`; empty when nothing was. */
  readonly done: string;
}

/**
 * Puts `debug`, which runtimes know as `type`, into the text of a conflist, or of a `.conf`. What is not touched keeps
 * its bytes: order, white space, digits; what is added is laid out as its neighbours are. A `debug` that stands there
 * already is enough. Throws CniError when the document is no network configuration, or there is no such place in it.
 */
export function editConflist(text: string, type: string, place: Place): Edit {
  const list = parseConflist(text);
  const root = parseTree(text);
  if (root === undefined) throw invalid('the network configuration is empty');
  const plugins = memberOf(root, 'plugins');
  const isSingle = plugins === undefined && memberOf(root, 'type') !== undefined;
  const edit = isSingle
    ? editSingle(text, root, list, type, place)
    : editList(text, plugins, list, type, place);
  if (edit.done !== '') verify(edit.text, list, type);
  return edit;
}

function editList(
  text: string,
  plugins: Node | undefined,
  list: NetworkList,
  type: string,
  place: Place,
): Edit {
  if (plugins === undefined)
    throw invalid(
      `network "${list.name}" has no "plugins" of its own: its runtime takes those of <folder>/${list.name}/*.conf, which can be wrapped one by one`,
    );
  return place.kind === 'insert'
    ? insert(text, plugins, list, type, place.after)
    : wrap(text, plugins, list, type, place.types);
}

function insert(
  text: string,
  plugins: Node,
  list: NetworkList,
  type: string,
  after: string | undefined,
): Edit {
  const types = typesOf(list);
  const index = (after === undefined ? 0 : types.indexOf(after)) + 1;
  if (index === 0) throw noSuchType(list, after ?? '');
  if (types[index] === type) return { text, done: '' };
  const before = plugins.children?.[index - 1];
  if (before === undefined) throw new Error(`plugin ${index} is not in the text`);
  const element = writeObject(layoutOf(text, before), [['type', JSON.stringify(type)]]);
  const added = `,${separatorAt(text, plugins, index)}${element}`;
  const done = `inserted "${type}" behind "${types[index - 1]}"`;
  return { text: replace(text, endOf(before), endOf(before), added), done };
}

function wrap(text: string, plugins: Node, list: NetworkList, type: string, wanted: readonly string[]): Edit {
  for (const name of wanted) {
    if (!list.plugins.some((plugin) => typeOf(plugin) === name || isWrapped(plugin, type, name)))
      throw noSuchType(list, name);
  }
  const chosen = list.plugins.map((plugin) => {
    const name = typeOf(plugin);
    return name !== type && (wanted.length === 0 || wanted.includes(name));
  });
  let edited = text;
  // From behind, so that what comes before keeps its place.
  for (const [index, element] of [...(plugins.children ?? []).entries()].reverse()) {
    if (chosen[index]) edited = replace(edited, element.offset, endOf(element), wrapped(text, element, type));
  }
  const names = typesOf(list).filter((_, index) => chosen[index]);
  return { text: edited, done: names.length === 0 ? '' : `wrapped ${quoted(names)} in "${type}"` };
}

function editSingle(text: string, root: Node, list: NetworkList, type: string, place: Place): Edit {
  const [own = ''] = typesOf(list);
  if (place.kind === 'insert')
    throw invalid(
      `the network configuration is that of the one plugin "${own}", not a list: --wrap puts "${type}" around it`,
    );
  if (place.types.some((name) => name !== own && !isWrapped(list.plugins[0], type, name)))
    throw noSuchType(list, place.types.find((name) => name !== own) ?? '');
  if (own === type) return { text, done: '' };
  if (list.name === '')
    throw invalid(`the network configuration has no "name", without which "${type}" cannot be called`);
  const outside = ['cniVersion', 'name'].flatMap((key) => {
    const value = memberOf(root, key);
    return value === undefined ? [] : [[key, textOf(text, value)] as const];
  });
  const around = wrapped(text, root, type, outside);
  return { text: replace(text, root.offset, endOf(root), around), done: `wrapped "${own}" in "${type}"` };
}

/**
 * The runtime looks for the capabilities outside; inside they say which part of `runtimeConfig` the delegate gets.
 */
function wrapped(
  text: string,
  element: Node,
  type: string,
  outside: readonly (readonly [string, string])[] = [],
): string {
  const layout = layoutOf(text, element);
  const capabilities = memberOf(element, 'capabilities');
  return writeObject(layout, [
    ...outside,
    ['type', JSON.stringify(type)],
    ...(capabilities === undefined ? [] : [['capabilities', textOf(text, capabilities)] as const]),
    ['delegate', deeper(textOf(text, element), layout)],
  ]);
}

/** That a runtime can read it, and that without what was added it is what it was. */
function verify(text: string, before: NetworkList, type: string): void {
  const after = parseConflist(text);
  const originals = [...before.plugins];
  const rest = after.plugins.flatMap((plugin) => {
    if (isSameJson(plugin, originals[0] ?? null)) return [originals.shift()];
    const delegate = lookUp(plugin, 'delegate');
    const isOurs = typeOf(plugin) === type;
    if (isOurs && isObject(delegate) && isSameJson(delegate, originals[0] ?? null))
      return [originals.shift()];
    return isOurs && delegate === undefined ? [] : [plugin];
  });
  const isWhole = originals.length === 0 && rest.length === before.plugins.length;
  const isSame = isSameJson(around(after), around(before)) && after.cniVersion === before.cniVersion;
  if (!isWhole || !isSame) throw new Error('the edited network configuration is not the one it was: a fault');
}

/** The list without its plugins. */
function around({ document }: NetworkList): JsonObject {
  const isPlugins = (key: string) => lookUp(newObject([[key, true]]), 'plugins') !== undefined;
  return newObject(Object.entries(document).filter(([key]) => !isPlugins(key)));
}

/** The value of a key, as `lookUp` finds it: in any spelling, and the last one of several. */
function memberOf(object: Node, name: string): Node | undefined {
  const found = object.children?.findLast(({ children }) => {
    const key = String(children?.[0]?.value);
    return lookUp(newObject([[key, true]]), name) !== undefined;
  });
  return found?.children?.[1];
}

function isWrapped(plugin: JsonObject | undefined, type: string, name: string): boolean {
  const delegate = plugin && typeOf(plugin) === type ? lookUp(plugin, 'delegate') : undefined;
  return isObject(delegate) && typeOf(delegate) === name;
}

function typesOf(list: NetworkList): string[] {
  return list.plugins.map(typeOf);
}

function typeOf(plugin: JsonObject): string {
  return String(lookUp(plugin, 'type') ?? '');
}

function textOf(text: string, node: Node): string {
  return text.slice(node.offset, endOf(node));
}

function replace(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function noSuchType(list: NetworkList, type: string): CniError {
  return invalid(`network "${list.name}" has no plugin "${type}": its plugins are ${quoted(typesOf(list))}`);
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

function invalid(message: string): CniError {
  return new CniError(ErrorCode.invalidConfiguration, message);
}

import * as z from 'zod/mini';
import { containerIDComplaint } from './environment.ts';
import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, type JsonObject, newObject, parseJson } from './json.ts';
import { lookUp, withKey } from './keys.ts';
import type { Problem } from './problem.ts';
import { parse, read, struct, text, unread } from './schema.ts';
import { isVersion, latestVersion, supportedVersions, type Version } from './version.ts';

/** A network's plugins in the order of ADD: a `.conflist` (section 1), as libcni reads it. */
export interface NetworkList {
  /** Empty only for a `.conf` without one, such as that of loopback. */
  readonly name: string;
  /** The highest that both the document and we know; 0.1.0 when it names none. */
  readonly cniVersion: Version;
  /** As they came. None at all means: those in the folder named after the network. */
  readonly plugins: readonly JsonObject[];
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  /** Otherwise `<folder of the conflist>/<name>/*.conf` has more plugins, which follow these. */
  readonly loadOnlyInlinedPlugins: boolean;
  /** The whole list; that around a `.conf` is made up. */
  readonly document: JsonObject;
}

const plugin = unread(
  struct({
    type: text((type) => type !== '', 'is no plugin type'),
    capabilities: z.optional(z.record(z.string(), z.boolean())),
  }),
);

const schema = struct({
  name: z.optional(
    text((name) => name === '' || containerIDComplaint(name) === undefined, 'is not a network name'),
  ),
  cniVersion: z.optional(versionNumber()),
  cniVersions: z.optional(z.array(versionNumber())),
  disableCheck: flag(),
  disableGC: flag(),
  loadOnlyInlinedPlugins: flag(),
  plugins: z.optional(z.array(plugin)),
});

/**
 * Reads a `.conflist`, or a `.conf` as the list of its one plugin (libcni's `ConfListFromConf`). Throws a CniError
 * that names the path of each malformed value: code 6 when it is not JSON, 1 for a version we do not know, else 7.
 */
export function parseConflist(source: string): NetworkList {
  const document = parseDocument(source);
  if (lookUp(document, 'plugins') !== undefined || lookUp(document, 'type') === undefined)
    return readList(document);
  read(plugin, document);
  const shared = ['name', 'cniVersion'].map((key) => [key, lookUp(document, key) ?? ''] as const);
  // libcni looks for further plugins only beside a list.
  return {
    ...readList(newObject([...shared, ['plugins', [document]]]), false),
    loadOnlyInlinedPlugins: true,
  };
}

/** Reads the configuration of one plugin, as it stands in a network's folder. Throws as `parseConflist`. */
export function parsePlugin(source: string): JsonObject {
  return read(plugin, parseDocument(source));
}

/** The list with these plugins and its present name, also in its document, which then needs no folder beside it. */
export function withPlugins(list: NetworkList, plugins: readonly JsonObject[]): NetworkList {
  let document = withKey(list.document, 'name', list.name);
  document = withKey(document, 'loadOnlyInlinedPlugins', true);
  document = withKey(document, 'plugins', [...plugins]);
  return { ...list, plugins, document, loadOnlyInlinedPlugins: true };
}

/** The malformed values for which `parseConflist` refuses a document; not what is missing, nor its version. */
export function conflistProblems(document: JsonObject): Problem[] {
  const isSingle = lookUp(document, 'plugins') === undefined && lookUp(document, 'type') !== undefined;
  return [...parse(schema, document).problems, ...(isSingle ? parse(plugin, document).problems : [])];
}

/** What the runtime adds to the configuration of one plugin. */
export interface Injected {
  readonly prevResult?: JsonObject | undefined;
  /** Capability arguments; the plugin gets those whose capability it has. */
  readonly capabilityArgs?: JsonObject | undefined;
  /** For GC; an empty list says that no attachment is valid, none at all says nothing. */
  readonly validAttachments?:
    | readonly { readonly containerID: string; readonly ifName: string }[]
    | undefined;
}

/** What `plugin` of the list gets on stdin (section 3, "Deriving execution configuration from plugin configuration"). */
export function pluginConfiguration(
  list: NetworkList,
  plugin: JsonObject,
  injected: Injected = {},
): JsonObject {
  const { prevResult, capabilityArgs = newObject(), validAttachments } = injected;
  let configuration = withKey(plugin, 'cniVersion', list.cniVersion);
  configuration = withKey(configuration, 'name', list.name);
  if (prevResult !== undefined) configuration = withKey(configuration, 'prevResult', prevResult);
  const runtimeConfig = supported(plugin, capabilityArgs);
  if (Object.keys(runtimeConfig).length > 0) {
    configuration = withKey(configuration, 'runtimeConfig', runtimeConfig);
  }
  if (validAttachments === undefined) return configuration;
  const attachments: Json[] = validAttachments.map(({ containerID, ifName }) =>
    newObject(Object.entries({ containerID, ifname: ifName })),
  );
  // libcni sets both: containernetworking/cni#1103.
  configuration = withKey(configuration, 'cni.dev/valid-attachments', attachments);
  return withKey(configuration, 'cni.dev/attachments', attachments);
}

function parseDocument(source: string): JsonObject {
  let document: Json;
  try {
    document = parseJson(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the network configuration is not JSON: ${reason}`;
    throw new CniError(ErrorCode.decodingFailure, message, { cause: error });
  }
  if (isObject(document)) return document;
  throw new CniError(ErrorCode.decodingFailure, 'the network configuration is not a JSON object');
}

function readList(document: JsonObject, mustHaveName = true): NetworkList {
  const list = read(schema, document);
  const { name = '', plugins, disableCheck, disableGC, loadOnlyInlinedPlugins } = list;
  if (name === '' && mustHaveName) throw invalid('name: is missing');
  if (plugins?.length === 0) throw invalid('plugins: [] has no plugin in it');
  if (plugins === undefined && loadOnlyInlinedPlugins) {
    throw invalid('plugins: is missing, and loadOnlyInlinedPlugins forbids to take them from elsewhere');
  }
  const cniVersion = chooseVersion(list.cniVersion ?? '', list.cniVersions ?? []);
  return {
    name,
    cniVersion,
    plugins: plugins ?? [],
    disableCheck,
    disableGC,
    loadOnlyInlinedPlugins,
    document,
  };
}

function chooseVersion(cniVersion: string, cniVersions: readonly string[]): Version {
  const known = [...cniVersions, cniVersion].filter(
    (version) => version !== '' && compare(version, latestVersion) <= 0,
  );
  const chosen = cniVersions.length === 0 ? cniVersion : (known.sort(compare).at(-1) ?? cniVersion);
  if (chosen === '') return '0.1.0';
  if (isVersion(chosen)) return chosen;
  const where = chosen === cniVersion ? 'cniVersion' : `cniVersions[${cniVersions.indexOf(chosen)}]`;
  const message = `${where}: ${JSON.stringify(chosen)} is none of ${supportedVersions.join(', ')}`;
  throw new CniError(ErrorCode.incompatibleVersion, message);
}

/** The capability arguments for the capabilities that the plugin declares `true`. */
function supported(plugin: JsonObject, capabilityArgs: JsonObject): JsonObject {
  const capabilities = lookUp(plugin, 'capabilities');
  if (!isObject(capabilities)) return newObject();
  return newObject(Object.entries(capabilityArgs).filter(([name]) => capabilities[name] === true));
}

/** Negative, zero or positive, as for `sort`; parts that are not there are 0, as in the reference's `ParseVersion`. */
function compare(one: string, other: string): number {
  const [left, right] = [one, other].map((version) => version.split('.').map(Number));
  return (
    [0, 1, 2].map((part) => (left?.[part] ?? 0) - (right?.[part] ?? 0)).find((order) => order !== 0) ?? 0
  );
}

function versionNumber() {
  return text((version) => /^(\d+(\.\d+){0,2})?$/.test(version), 'is not a version');
}

/** `true`, `false`, or one of the words, whatever their case; absent is false. */
function flag(): z.ZodMiniType<boolean> {
  return z.transform((input: unknown, context) => {
    const word = typeof input === 'string' ? input.toLowerCase() : input;
    if (word === true || word === 'true') return true;
    if (word === undefined || word === false || word === 'false') return false;
    context.issues.push({ code: 'custom', message: 'is neither true nor false', input });
    return z.NEVER;
  }) as unknown as z.ZodMiniType<boolean>;
}

function invalid(message: string): CniError {
  return new CniError(ErrorCode.invalidConfiguration, message);
}

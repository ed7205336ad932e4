import { isObject, type JsonObject, newObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import { lookUp } from '../../src/cni/keys.ts';
import { firstOf, type Problem } from '../../src/cni/problem.ts';
import { defaultJournal } from '../../src/trace/journal-settings.ts';
import { readDelegates } from './delegate-keys.ts';
import { fault } from './fault-keys.ts';
import { duration, hooks, journal, pathOrOff, patterns, size } from './key-values.ts';

/** The keys of the `debug` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

export interface ReadSettings {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** `debug` is the plugin `bridge`, whose keys stand beside its own. */
  readonly isBridge: boolean;
}

/**
 * The keys of the `debug` plugin. Never throws: a key with a problem, and of very many each in its turn, counts as absent, so that the call can be
 * recorded as the rest of the document says.
 */
export function readSettings(document: JsonObject = newObject()): ReadSettings {
  const asking = askingForBridge(document);
  const hasDelegate = lookUp(document, 'delegate') != null;
  const keys = new KeyReader(document);
  const settings = settingsFrom(keys);
  const ambiguous = asking !== undefined && hasDelegate ? [twoPlugins(asking)] : [];
  const isBridge = asking !== undefined && !hasDelegate;
  return { settings, problems: [...ambiguous, ...inTurns(keys.problems)], isBridge };
}

function settingsFrom(keys: KeyReader) {
  const allowFaults = keys.flag('allowFaults');
  return {
    /** The text log; `false` or `""` for none. */
    cniOutput: keys.read('cniOutput', pathOrOff, '/tmp/cni_output.log'),
    /** Layout of the text log: `debug`, or `upstream` for that of the CNI project's own debug plugin. */
    textLayout: keys.read('textLayout', (value) => value.oneOf('debug', 'upstream'), 'debug'),
    /** The text log is renamed to `.1` before it would grow beyond this. */
    cniOutputMaxSize: keys.read('cniOutputMaxSize', size, 64 * 1024 ** 2),
    /** The structured log, one JSON record a line; `false` for none. */
    journal: keys.readEach('journal', journal(defaultJournal), defaultJournal),
    /** What becomes of a malformed prevResult, or of one that CHECK finds to differ: `error`, `warn` or `off`. */
    validate: keys.read('validate', (value) => value.oneOf('error', 'warn', 'off'), 'error'),
    /** Regular expressions for further names whose values are redacted. */
    redact: keys.readEach('redact', patterns, []),
    /** Commands to run in the container's namespace at the end of ADD. */
    addHooks: keys.readEach('addHooks', hooks, []),
    /** Commands to run in the container's namespace at the beginning of DEL. */
    delHooks: keys.readEach('delHooks', hooks, []),
    /** Commands to run in the container's namespace at the end of CHECK. */
    checkHooks: keys.readEach('checkHooks', hooks, []),
    /** How long one hook may take. */
    hookTimeout: keys.read('hookTimeout', duration, 10_000),
    /** A failing hook fails the call. */
    strictHooks: keys.flag('strictHooks'),
    /** A log that cannot be written fails the call before anything is changed. */
    strictLog: keys.flag('strictLog'),
    /** The configuration of another plugin, or of a chain of them, which is run in this one's place. */
    delegate: keys.readEach('delegate', readDelegates, undefined),
    /** How long each delegate may take. */
    delegateTimeout: keys.read('delegateTimeout', duration, 60_000),
    /** A delegate is always the executable in CNI_PATH, never the one that is built in. */
    external: keys.flag('external'),
    /** The record says what each part of the call changed on the host and in the container. */
    snapshot: keys.flag('snapshot'),
    /** ADD makes `/var/run/netns/<container ID>` a link to the namespace, for `ip netns`; DEL and GC remove it. */
    linkNetns: keys.flag('linkNetns'),
    /** What is done to the call on purpose; only with `allowFaults`. */
    fault: keys.readEach('fault', fault(allowFaults), undefined),
  };
}

/** As many as a message has room for; then those of the keys that none of them was about, and so on. */
function inTurns(problems: readonly Problem[]): Problem[] {
  const first = firstOf(problems, (problem) => problem, '');
  const told = new Set(first.map(keyOf));
  const others = problems.filter((problem) => !told.has(keyOf(problem)));
  return others.length === 0 ? first : [...first, ...inTurns(others)];
}

function keyOf({ path }: Problem): string {
  return path.replace(/[.[].*$/s, '');
}

/**
 * The key that does: an `ipam` that has a type, or that stands beside `bridge`, or a `subnet` beside `bridge`. Alone, an
 * empty `ipam` says nothing: older tools in Go write it into every configuration. A malformed one is for the bridge to
 * refuse, and to remove what it made.
 */
function askingForBridge(document: JsonObject): 'ipam' | 'subnet' | undefined {
  const [ipam, subnet, bridge] = ['ipam', 'subnet', 'bridge'].map((key) => lookUp(document, key));
  const isTyped = ipam != null && (!isObject(ipam) || (lookUp(ipam, 'type') ?? '') !== '');
  if (isTyped) return 'ipam';
  if (bridge == null) return undefined;
  if (subnet != null) return 'subnet';
  return ipam != null ? 'ipam' : undefined;
}

function twoPlugins(path: string): Problem {
  const message =
    `${path}: stands beside "delegate", and each of them makes an interface. Move it into the delegate whose it is, or ` +
    'remove "delegate" where "debug" is to be the bridge itself';
  return { path, message };
}

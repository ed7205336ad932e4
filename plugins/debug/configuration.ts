import * as z from 'zod/mini';
import { isObject, type Json, type JsonObject, newObject } from '../../src/cni/json.ts';
import { lookUp, withKey, withoutKeys } from '../../src/cni/keys.ts';
import type { Problem } from '../../src/cni/problem.ts';
import {
  freeForm,
  offOr,
  oneOrMore,
  parse,
  parsed,
  parseUsable,
  struct,
  text,
  unread,
} from '../../src/cni/schema.ts';
import { parseDuration, parseSize } from '../../src/trace/quantity.ts';
import { invalidPattern } from '../../src/trace/redaction.ts';

const size = parsed(parseSize, 'is not a size such as "16MB"');
const duration = parsed(parseDuration, 'is not a duration such as "500ms" or "10s"');
const path = text((value) => value.startsWith('/'), 'is not an absolute path');
const pathOrEmpty = text((value) => value === '' || value.startsWith('/'), 'is not an absolute path');
const pattern = text((value) => invalidPattern(value) === undefined, 'is not a regular expression');
const fileCount = z.int().check(z.refine((count) => count >= 1, { error: 'is less than 1' }));
const argv = z
  .array(z.string())
  .check(z.refine((words) => (words[0] ?? '') !== '', { error: 'names no command' }));

const defaultJournal = { path: '/var/log/cni-debug/journal.ndjson', maxSize: 16 * 1024 ** 2, maxFiles: 4 };

const journal = struct({
  path: z._default(path, defaultJournal.path),
  maxSize: z._default(size, defaultJournal.maxSize),
  maxFiles: z._default(fileCount, defaultJournal.maxFiles),
});

const delegate = struct({
  type: text((value) => value !== '' && !value.includes('/'), 'is not the name of a plugin'),
  capabilities: z.optional(
    freeForm().check(
      z.refine((map) => Object.values(map).every((value) => typeof value === 'boolean'), {
        error: 'is not a map of capabilities to true or false',
      }),
    ),
  ),
});

const schema = struct({
  /** The text log; `false` or `""` for none. */
  cniOutput: z._default(offOr(pathOrEmpty), '/tmp/cni_output.log'),
  /** Layout of the text log: `debug`, or `upstream` for that of the CNI project's own debug plugin. */
  textLayout: z._default(z.enum(['debug', 'upstream']), 'debug'),
  /** The text log is renamed to `.1` before it would grow beyond this. */
  cniOutputMaxSize: z._default(size, 64 * 1024 ** 2),
  /** The structured log, one JSON record a line; `false` for none. */
  journal: z._default(offOr(journal), defaultJournal as never),
  /** What becomes of a malformed prevResult, or of one that CHECK finds to differ: `error`, `warn` or `off`. */
  validate: z._default(z.enum(['error', 'warn', 'off']), 'error'),
  /** Regular expressions for further names whose values are redacted. */
  redact: z._default(z.array(pattern), []),
  /** Commands to run in the container's namespace at the end of ADD. */
  addHooks: z._default(z.array(argv), []),
  /** Commands to run in the container's namespace at the beginning of DEL. */
  delHooks: z._default(z.array(argv), []),
  /** Commands to run in the container's namespace at the end of CHECK. */
  checkHooks: z._default(z.array(argv), []),
  /** How long one hook may take. */
  hookTimeout: z._default(duration, 10_000),
  /** A failing hook fails the call. */
  strictHooks: z._default(z.boolean(), false),
  /** A log that cannot be written fails the call before anything is changed. */
  strictLog: z._default(z.boolean(), false),
  /** The configuration of another plugin, or of a chain of them, which is run in this one's place. */
  delegate: z.optional(oneOrMore(unread(delegate), 'names no plugin')),
  /** How long each delegate may take. */
  delegateTimeout: z._default(duration, 60_000),
  /** A delegate is always the executable in CNI_PATH, never the one that is built in. */
  external: z._default(z.boolean(), false),
  /** ADD makes `/var/run/netns/<container ID>` a link to the namespace, for `ip netns`; DEL and GC remove it. */
  linkNetns: z._default(z.boolean(), false),
});

export type Settings = z.infer<typeof schema>;

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
  const { value, problems } = parseUsable(schema, document, withoutMalformed);
  const ambiguous = asking !== undefined && hasDelegate ? [twoPlugins(asking)] : [];
  const isBridge = asking !== undefined && !hasDelegate;
  return { settings: value, problems: [...ambiguous, ...problems], isBridge };
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

/** Whether the problem is one of those that leave a delegate unknown, so that it cannot be asked for anything. */
export function losesDelegate({ path }: Problem): boolean {
  return /^delegate(\[\d+\])?(\.type)?$/.test(path);
}

function twoPlugins(path: string): Problem {
  const message =
    `${path}: stands beside "delegate", and each of them makes an interface. Move it into the delegate whose it is, or ` +
    'remove "delegate" where "debug" is to be the bridge itself';
  return { path, message };
}

/** Of a delegate whose type is known everything else may be malformed: it can still be asked to remove what it made. */
function withoutMalformed(document: JsonObject, keys: readonly string[]): JsonObject {
  const usable = withoutKeys(document, ...keys);
  if (!keys.includes('delegate')) return usable;
  const known = [lookUp(document, 'delegate') ?? []].flat().flatMap(askable);
  return known.length === 0 ? usable : withKey(usable, 'delegate', known);
}

function askable(wrapped: Json): JsonObject[] {
  if (!isObject(wrapped)) return [];
  const bare = withoutKeys(wrapped, 'capabilities');
  return [wrapped, bare].filter((candidate) => 'value' in parse(delegate, candidate)).slice(0, 1);
}

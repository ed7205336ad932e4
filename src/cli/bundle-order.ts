import type { BundleOrder } from '../bundle/gather.ts';
import { parseArgs } from '../cni/args.ts';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { type Json, type JsonObject, newObject } from '../cni/json.ts';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { knownNetworks } from '../node/known-networks.ts';
import { networkFiles } from '../runtime/network-files.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { documentOf, examineNode } from './examined.ts';
import { sectionsOf } from './explain.ts';
import { CommandFailure } from './failure.ts';
import { type NamedRecord, namedRecord, type RecordPlaces } from './named-record.ts';
import type { PlaceOptions } from './network-options.ts';
import { attachmentsOf } from './requested-attachments.ts';

export interface AboutOptions extends PlaceOptions, RecordPlaces {
  readonly pluginDir: string;
}

/**
 * What a bundle about a word is to hold: a record with all of its attachment, or a container with all that is known of
 * it, recorded or not. Throws CommandFailure where nothing is.
 */
export function bundleOrder(word: string, version: string, options: AboutOptions): BundleOrder {
  const { attachments } = everyAttachment(options);
  const named = nameOrFailure(word, options);
  const records = named instanceof CommandFailure ? [] : named.records;
  const record = named instanceof CommandFailure ? undefined : named.record;
  const wanted = record === undefined ? attachmentsOf(word, attachments) : attachments.filter(isOf(record));
  if (named instanceof CommandFailure && wanted.length === 0) throw named;
  const networks = new Set([...wanted, ...records].map(({ network }) => network));
  const found = filesOf(networks, options);
  const netns = wanted.find(({ netns }) => netns !== '')?.netns ?? record?.netns ?? '';
  return {
    ...{ version, record, records, netns, pluginPath: options.pluginDir },
    ...found,
    cached: wanted.flatMap((attachment) => cachedList(attachment, options)),
    everyNetwork: knownNetworks(options),
    everyArgument: cachedArguments(options),
    explained: () => wanted.map((attachment) => explained(attachment, options)),
    diagnosed: () => diagnosed(options),
  };
}

function nameOrFailure(word: string, options: AboutOptions): NamedRecord | CommandFailure {
  try {
    return namedRecord(word, options);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
}

function isOf(record: StoredRecord): (attachment: KnownAttachment) => boolean {
  return ({ containerID }) => containerID === record.containerID;
}

function filesOf(
  names: ReadonlySet<string>,
  { confDir }: AboutOptions,
): Pick<BundleOrder, 'configurations' | 'refused'> {
  try {
    const { networks, refused } = networkFiles(confDir);
    return {
      configurations: networks.filter(({ list }) => names.has(list.name)),
      refused: refused.map(({ path, reason }) => ({ path, reason: reason.message })),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { configurations: [], refused: [{ path: confDir, reason }] };
  }
}

function cachedList(attachment: KnownAttachment, { cacheDir }: AboutOptions): NetworkList[] {
  try {
    const { config = '' } = new ResultCache(cacheDir).read(attachment) ?? {};
    return config === '' ? [] : [parseConflist(config)];
  } catch {
    // Its section of explain.json says so.
    return [];
  }
}

/** CNI_ARGS, and what runtimes hand over by capability. */
function cachedArguments({ cacheDir }: AboutOptions): JsonObject[] {
  try {
    const { entries } = new ResultCache(cacheDir).list();
    return entries.flatMap(({ attachment: { args, capabilityArgs } }) => [
      newObject([...parseArgs(args).values]),
      capabilityArgs,
    ]);
  } catch {
    // Without a cache there is nothing to learn from it; explain.json says what is wrong with one.
    return [];
  }
}

function explained(attachment: KnownAttachment, options: AboutOptions): JsonObject {
  return plain({ ...attachment, sections: sectionsOf(attachment, options) });
}

async function diagnosed(options: AboutOptions): Promise<JsonObject> {
  const { diagnosis } = await examineNode({ ...options, minAge: youngMs });
  return plain(documentOf(diagnosis));
}

/** What a pod that just starts may take. */
const youngMs = 5 * 60_000;

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as Json as JsonObject;
}

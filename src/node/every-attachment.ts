import { parseArgs, podOf } from '../cni/args.ts';
import type { NetworkList } from '../cni/conflist.ts';
import { CniError } from '../cni/error.ts';
import { isObject, type JsonObject } from '../cni/json.ts';
import { addressesOf } from '../cni/result.ts';
import { type Lease, listLeases } from '../ipam/lease-listing.ts';
import { type AttachmentState, attachmentState } from '../runtime/attachment-state.ts';
import { networkFiles } from '../runtime/network-files.ts';
import { type CacheContent, type CacheEntry, ResultCache } from '../runtime/result-cache.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { cachedNetworks } from './cached-networks.ts';
import { dataDirsOf } from './data-dirs.ts';
import { journalsOf } from './journals.ts';
import { newestRecords } from './newest-records.ts';
import type { NodePlaces } from './node-places.ts';

/** An attachment, and who knows of it. */
export interface KnownAttachment {
  readonly network: string;
  readonly containerID: string;
  /** Empty where a lease of old times does not say it. */
  readonly ifName: string;
  readonly netns: string;
  readonly addresses: readonly string[];
  /** When the first of those who know of it heard of it, as ISO 8601. */
  readonly since: string;
  readonly state: AttachmentState;
  readonly sources: readonly Source[];
  /** `namespace/name`, where CNI_ARGS say so. */
  readonly pod?: string | undefined;
}

export type Source = 'cache' | 'lease' | 'record';

/** What one of them knows. */
interface Sighting {
  readonly source: Source;
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
  readonly netns: string;
  readonly addresses: readonly string[];
  readonly since: Date;
  readonly pod?: string | undefined;
  readonly result?: JsonObject | undefined;
}

/**
 * Everything that the result cache, the leases of host-local, and the journals of `debug` know of this node's
 * attachments, oldest first; and what could not be looked at. Never throws.
 *
 * @param read what somebody has read already: records, newest first, and the cache
 */
export function everyAttachment(
  { confDir, cacheDir }: NodePlaces,
  read: { readonly records?: Iterable<StoredRecord>; readonly cache?: CacheContent } = {},
): {
  attachments: KnownAttachment[];
  refused: string[];
} {
  const refused: string[] = [];
  const attempt = <T>(look: () => T[]): T[] => {
    try {
      return look();
    } catch (error) {
      refused.push(CniError.from(error).message);
      return [];
    }
  };
  const cached = attempt(() => {
    const content = read.cache ?? new ResultCache(cacheDir).list();
    refused.push(...content.refused.map(({ reason }) => reason));
    return [...content.entries];
  });
  const lists = [
    ...attempt(() => networkFiles(confDir).networks.map(({ list }) => list)),
    ...cachedNetworks(cached),
  ];
  const dataDirs = distinct(lists.flatMap(dataDirsOf), dataDirsOf(noPlugins));
  const journals = distinct(lists.flatMap(journalsOf), journalsOf(noPlugins));
  const sightings = [
    ...cached.map(byCache),
    ...dataDirs.flatMap((folder) => attempt(() => listLeases(folder).map(byLease))),
    ...attempt(() => recorded(read.records ?? newestRecords(journals))),
  ];
  return { attachments: joined(sightings), refused };
}

const noPlugins: Pick<NetworkList, 'plugins'> = { plugins: [] };

function distinct(...lists: string[][]): string[] {
  return [...new Set(lists.flat())];
}

function byCache({ attachment, since }: CacheEntry): Sighting {
  return {
    source: 'cache',
    ...attachment,
    addresses: addressesOf(attachment.result),
    since,
    pod: podIn(attachment.args),
  };
}

function byLease({ network, containerID, ifName = '', address, since }: Lease): Sighting {
  return { source: 'lease', network, containerID, ifName, netns: '', addresses: [address], since };
}

/** Those whose last call was an ADD that succeeded. */
function recorded(records: Iterable<StoredRecord>): Sighting[] {
  const last = new Map<string, Sighting | undefined>();
  for (const record of records) {
    const { kind, command, network, containerID, ifName, netns, error, startedAt: since } = record;
    if (kind !== 'call' || error !== undefined || (command !== 'ADD' && command !== 'DEL')) continue;
    const key = [network, containerID, ifName].join('\n');
    if (last.has(key)) continue;
    const result = isObject(record.document.result) ? record.document.result : undefined;
    const pod = record.pod && `${record.pod.namespace}/${record.pod.name}`;
    const place = { network, containerID, ifName, netns, since, pod };
    const sighting = { source: 'record' as const, ...place, addresses: addressesOf(result), result };
    last.set(key, command === 'DEL' ? undefined : sighting);
  }
  return [...last.values()].filter((sighting) => sighting !== undefined);
}

function podIn(args: string): string | undefined {
  const pod = podOf(parseArgs(args));
  return pod?.name === undefined ? undefined : `${pod.namespace ?? ''}/${pod.name}`;
}

/** One for each attachment; a lease that does not say its interface belongs to whatever its container has. */
function joined(sightings: readonly Sighting[]): KnownAttachment[] {
  const groups = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    const { network, containerID, ifName } = sighting;
    const key = [network, containerID, ifName].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), sighting]);
  }
  return [...groups.values()].map(join).sort((one, other) => Date.parse(one.since) - Date.parse(other.since));
}

function join(sightings: readonly Sighting[]): KnownAttachment {
  const [first] = sightings as [Sighting];
  const { network, containerID, ifName } = first;
  const placed = sightings.find(({ netns }) => netns !== '') ?? first;
  const since = new Date(Math.min(...sightings.map((sighting) => sighting.since.getTime())));
  return {
    ...{ network, containerID, ifName, netns: placed.netns },
    // A lease has no prefix length: the result says the same address better.
    addresses: distinct((sightings.find(({ addresses }) => addresses.length > 0) ?? first).addresses.slice()),
    since: since.toISOString(),
    state: attachmentState(placed),
    sources: sightings
      .map(({ source }) => source)
      .filter((source, index, all) => all.indexOf(source) === index),
    pod: sightings.find(({ pod }) => pod !== undefined)?.pod,
  };
}

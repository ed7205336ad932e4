import type { NetworkList } from '../cni/conflist.ts';
import { type Lease, listLeases } from '../ipam/lease-listing.ts';
import { currentNamespace } from '../kernel/netns.ts';
import type { ReadersByType } from '../lint/context.ts';
import { blindSpot } from '../node/blind-spot.ts';
import { type Contents, contentsHere, contentsIn } from '../node/contents.ts';
import { dataDirsOf } from '../node/data-dirs.ts';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { everyNamespace, type KnownNamespace } from '../node/every-namespace.ts';
import { journalsOf } from '../node/journals.ts';
import { knownNetworks } from '../node/known-networks.ts';
import { newestRecords } from '../node/newest-records.ts';
import type { NodePlaces } from '../node/node-places.ts';
import { identity } from '../runtime/find-namespace.ts';
import { type NetworkFiles, networkFiles } from '../runtime/network-files.ts';
import { type CacheContent, ResultCache } from '../runtime/result-cache.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import type { PluginFacts } from './plugin-facts.ts';
import { see, Unseen } from './unseen.ts';

export interface SurveySettings extends NodePlaces {
  /** Folders with `:` between them. */
  readonly pluginPath: string;
  /** Only of this network. */
  readonly network?: string | undefined;
  /** What our own plugins refuse of a configuration. */
  readonly readers: ReadersByType;
  /** What is younger may be of a container that is just starting. */
  readonly minAgeMs: number;
  readonly facts: PluginFacts;
}

/** So many records say how things are; a journal may have millions. */
const mostRecords = 20_000;

const noCache: CacheContent = { entries: [], refused: [] };

/**
 * What this node has, read when a rule asks for it and kept: all rules see the same. Whatever cannot be read throws
 * Unseen.
 */
export class Survey {
  readonly now = Date.now();
  readonly #known = new Map<string, { value: unknown } | { unseen: Unseen }>();
  readonly #unseen = new Map<string, string>();

  constructor(readonly settings: SurveySettings) {}

  /** Networks that the node has files of, and files that make no sense; whatever `--network` says. */
  files(): NetworkFiles {
    const { confDir } = this.settings;
    return this.once('files', confDir, () => networkFiles(confDir));
  }

  /** Networks with a file, and those that attachments were made by and have none any more. */
  networks(): readonly NetworkList[] {
    return this.once('networks', 'networks', () => {
      // What cannot be read is said by these, not by the list.
      this.each([() => this.files(), () => this.cache()], (look) => look());
      const seen = new Set<string>();
      return this.everyNetwork().filter(
        ({ name }) => this.concerns(name) && !seen.has(name) && seen.add(name),
      );
    });
  }

  /** The same, whatever `--network` says, and as often as there are configurations of one. */
  everyNetwork(): readonly NetworkList[] {
    return this.once('every network', 'networks', () => knownNetworks(this.settings, () => this.cache()));
  }

  cache(): CacheContent {
    const { cacheDir } = this.settings;
    return this.once('cache', `${cacheDir}/results`, () => new ResultCache(cacheDir).list());
  }

  /** Below every `dataDir` that a network names, and the default one. */
  dataDirs(): readonly string[] {
    return this.once('dataDirs', 'leases', () => [
      ...new Set([{ plugins: [] }, ...this.everyNetwork()].flatMap(dataDirsOf)),
    ]);
  }

  leases(): readonly Lease[] {
    return this.once('leases', 'leases', () =>
      this.each(this.dataDirs(), (folder) => listLeases(folder))
        .flat()
        .filter(({ network }) => this.concerns(network)),
    );
  }

  /** Caches, leases and records joined. */
  attachments(): readonly KnownAttachment[] {
    return this.once('attachments', 'attachments', () => {
      // A journal that cannot be read is said; caches and leases know most of them.
      const records = this.each([this], (survey) => survey.records()).flat();
      // The same of a cache that cannot be read: then there is none.
      const [cache = noCache] = this.each([this], (survey) => survey.cache());
      const { attachments, refused } = everyAttachment(this.settings, { records, cache });
      // What is damaged in the cache is a finding of its own.
      const damaged = cache.refused.map(({ reason }) => reason);
      for (const reason of refused)
        if (!damaged.includes(reason)) this.overlook(new Unseen('attachments', reason));
      return attachments.filter(({ network }) => this.concerns(network));
    });
  }

  /** Those whose interface is there. */
  living(): readonly KnownAttachment[] {
    return this.attachments().filter(({ state }) => state === 'alive');
  }

  /** Links, addresses and routes of the node. */
  host(): Contents {
    return this.once('host', 'the network of the node', contentsHere);
  }

  /** And of a namespace. */
  inside(netns: string): Contents {
    return this.once(`inside ${identity(netns)}`, `namespace ${netns}`, () => contentsIn(netns));
  }

  /** Every network namespace of this node but the node's own. */
  namespaces(): readonly KnownNamespace[] {
    return this.once('namespaces', 'network namespaces', () => {
      const reason = blindSpot();
      // What is not among those that are seen need not be gone.
      if (reason !== undefined) throw new Unseen('network namespaces', reason);
      const { namespaces, refused } = everyNamespace();
      for (const reason of refused) this.overlook(new Unseen('network namespaces', reason));
      const own = currentNamespace();
      own.close();
      return namespaces.filter(({ id }) => id !== own.id);
    });
  }

  /** The newest records of all journals, newest first. Empty where there is no journal. */
  records(): readonly StoredRecord[] {
    return this.once('records', 'journals', () => {
      const journals = new Set([{ plugins: [] }, ...this.everyNetwork()].flatMap(journalsOf));
      const records: StoredRecord[] = [];
      for (const record of newestRecords([...journals])) {
        if (records.length === mostRecords) break;
        if (record.network === '' || this.concerns(record.network)) records.push(record);
      }
      return records;
    });
  }

  /** Whether `--network` leaves it in. */
  concerns(network: string): boolean {
    return this.settings.network === undefined || this.settings.network === network;
  }

  /** Whether it is so old that nobody can be about to finish it. */
  isSettled(since: Date): boolean {
    return this.now - since.getTime() >= this.settings.minAgeMs;
  }

  /** What `look` says of each; of one that cannot be looked at that is said, and the others are looked at. */
  each<O, T>(objects: Iterable<O>, look: (object: O) => T): T[] {
    const found: T[] = [];
    for (const object of objects) {
      try {
        found.push(look(object));
      } catch (error) {
        if (!(error instanceof Unseen)) throw error;
        this.overlook(error);
      }
    }
    return found;
  }

  /** Reads a part of the node once; `object` is what is not seen when that fails. */
  once<T>(key: string, object: string, look: () => T): T {
    const known = this.#known.get(key) ?? attempt(object, look);
    this.#known.set(key, known);
    if ('unseen' in known) throw known.unseen;
    return known.value as T;
  }

  /** Says that something was not looked at. */
  overlook({ object, reason }: Unseen): void {
    this.#unseen.set(`${object}: ${reason}`, object);
  }

  /** Whether that, or a part of it, could not be looked at: what is not found in the rest may be there. */
  hasOverlooked(object: string): boolean {
    return [...this.#unseen.values()].includes(object);
  }

  /** All that was said so, a line each. */
  unseen(): string[] {
    return [...this.#unseen.keys()];
  }
}

function attempt<T>(object: string, look: () => T): { value: T } | { unseen: Unseen } {
  try {
    return { value: see(object, look) };
  } catch (error) {
    if (error instanceof Unseen) return { unseen: error };
    throw error;
  }
}

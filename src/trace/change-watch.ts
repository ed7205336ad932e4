import { currentNamespace, type Namespace, NamespaceLostError, openNamespace } from '../kernel/netns.ts';
import type { Attachment } from '../network/attachment.ts';
import { type Change, type Difference, type Found, otherValues } from './change.ts';
import { type LinksOfHostAndContainer, OwnerReader, type Whose } from './change-owner.ts';
import { NamespaceWatch } from './namespace-watch.ts';

export interface Watched {
  readonly attachment: Attachment;
  /** The call is GC: what is removed of others is its own doing. */
  readonly collects?: boolean;
  /** The path of the container's namespace; empty where there is none. */
  readonly netns: string;
  /** Paths of settings that the plugins' configurations name: `net/core/somaxconn`. */
  readonly sysctls: readonly string[];
  /** Takes what could not be looked at; `object` is the namespace. */
  readonly find: (rule: string, object: string, message: string) => void;
}

/** Whose doing the changes since the last moment are. */
export type PluginOf = string | ((difference: Difference) => string);

/**
 * Looks at the host and the container, and what became other from one moment to the next. Throws NamespaceLostError,
 * and nothing else: what cannot be looked at is a finding of the rule `snapshot-failed`.
 */
export class ChangeWatch {
  readonly #owners: OwnerReader;
  readonly #host: NamespaceWatch;
  readonly #container: NamespaceWatch | undefined;
  #namespace: Namespace | undefined;

  constructor(private readonly watched: Watched) {
    const { attachment, sysctls } = watched;
    this.#owners = new OwnerReader(attachment);
    this.#host = new NamespaceWatch(undefined, sysctls, this.#complain('host'));
    this.#namespace = this.#open();
    if (this.#namespace !== undefined)
      this.#container = new NamespaceWatch(this.#namespace, sysctls, this.#complain('container'));
  }

  /** Since the last time, or the beginning. */
  next(plugin: PluginOf): Change[] {
    const host = this.#host.next();
    const container = this.#container?.next();
    const [old, now] = (['old', 'now'] as const).map((moment) => ({
      host: this.#host.links[moment],
      container: this.#container?.links[moment],
    })) as [LinksOfHostAndContainer, LinksOfHostAndContainer];
    const onHost = this.#changes('host', [...host.objects, ...host.nftables], plugin, (found, isOld) => {
      if (found.kind.startsWith('nft ')) return this.#owners.ofNftables(found);
      const links = isOld ? old : now;
      const link = found.link === undefined ? undefined : links.host.at(found.link);
      return link && this.#owners.ofLink(link, links);
    });
    if (container === undefined) return onHost;
    const inContainer = [...container.objects, ...container.nftables];
    return [
      ...onHost,
      ...this.#changes('container', inContainer, plugin, (found) =>
        found.kind.startsWith('nft ') ? this.#owners.ofNftables(found) : undefined,
      ),
    ];
  }

  /** May be called twice. */
  close(): void {
    this.#host.close();
    this.#container?.close();
    this.#namespace?.close();
  }

  #changes(
    namespace: Change['namespace'],
    differences: readonly Difference[],
    plugin: PluginOf,
    whoseIs: (found: Found, isOld: boolean) => Whose,
  ): Change[] {
    const goneLinks = new Set(
      differences.flatMap(({ old, now }) => (old?.kind === 'link' && now === undefined ? [old.link] : [])),
    );
    return differences.flatMap((difference) => {
      const { old, now } = difference;
      const found = now ?? old;
      if (found === undefined) return [];
      const whose = (now && whoseIs(now, false)) ?? (old && whoseIs(old, true));
      const owner = whose === 'this' ? undefined : whose;
      const isOther = owner !== undefined && !(this.watched.collects === true && now === undefined);
      // What a link had goes with it.
      const isLost = now === undefined && found.kind !== 'link' && goneLinks.has(found.link);
      return {
        ...(isOther ? {} : { plugin: typeof plugin === 'string' ? plugin : plugin(difference) }),
        namespace,
        kind: found.kind,
        change: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed',
        object: found.object,
        ...(found.of === undefined ? {} : { of: found.of }),
        ...valuesOf(difference),
        ...(found.isAutomatic === true || isLost ? { follows: true } : {}),
        ...(whose === 'this' ? { whose } : isOther ? { whose: 'other' } : {}),
        ...(owner === undefined ? {} : { owner }),
      };
    });
  }

  #complain(object: Change['namespace']) {
    return (what: string, reason: string): void =>
      this.watched.find('snapshot-failed', object, `snapshot of the ${object}'s ${what}: ${reason}`);
  }

  /** Undefined where there is none, or none that could be looked at. */
  #open(): Namespace | undefined {
    const { netns, find } = this.watched;
    if (netns === '') return undefined;
    try {
      const namespace = openNamespace(netns);
      const own = currentNamespace();
      own.close();
      if (own.id !== namespace.id) return namespace;
      // A container that has the node's own network: all that is seen is the host's.
      namespace.close();
    } catch (error) {
      if (error instanceof NamespaceLostError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      find('snapshot-failed', 'container', `snapshot of the container: ${reason}`);
    }
    return undefined;
  }
}

function valuesOf({ old, now }: Difference): Pick<Change, 'old' | 'new'> {
  if (old === undefined) return now === undefined ? {} : { new: now.values };
  if (now === undefined) return { old: old.values };
  return { old: otherValues(old.values, now.values), new: otherValues(now.values, old.values) };
}

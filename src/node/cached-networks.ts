import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import type { CacheEntry } from '../runtime/result-cache.ts';

/**
 * The networks as they were when attachments were made by them; without those that make no sense. Hundreds of attachments
 * have one configuration: it is read, and is there, once. Never throws.
 */
export function cachedNetworks(entries: Iterable<CacheEntry>): NetworkList[] {
  const configs = new Set([...entries].map(({ attachment }) => attachment.config));
  return [...configs].flatMap((config) => {
    try {
      return [parseConflist(config)];
    } catch {
      return [];
    }
  });
}

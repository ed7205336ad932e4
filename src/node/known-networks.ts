import type { NetworkList } from '../cni/conflist.ts';
import { networkFiles } from '../runtime/network-files.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import { cachedNetworks } from './cached-networks.ts';
import type { NodePlaces } from './node-places.ts';

/**
 * Every network that this node has a file of, and those that attachments in the cache were made by; of two of one name
 * the file's comes first. What cannot be read is left out. Never throws.
 *
 * @param readCache for whoever has read it already
 */
export function knownNetworks(
  { confDir, cacheDir }: NodePlaces,
  readCache = () => new ResultCache(cacheDir).list(),
): NetworkList[] {
  const configured = attempt(() => networkFiles(confDir).networks.map(({ list }) => list));
  return [...configured, ...cachedNetworks(attempt(() => readCache().entries))];
}

/** Whoever looks at the past needs no network to be whole. */
function attempt<T>(look: () => readonly T[]): readonly T[] {
  try {
    return look();
  } catch {
    return [];
  }
}

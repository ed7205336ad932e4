import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { convertResult } from '../cni/conversion.ts';
import type { JsonObject } from '../cni/json.ts';
import { versionOfResult } from '../cni/result.ts';
import { remainingNetns } from './attachment-state.ts';
import { delChain } from './chain.ts';
import type { Execution } from './execution.ts';
import { type CachedAttachment, ResultCache } from './result-cache.ts';

/**
 * DEL of one attachment, with what it was attached with, for whoever holds its claim; then the cache forgets it. `since`
 * says when that was written down. Not ended by a signal. Throws the first ChainError.
 */
export async function detach(
  from: CachedAttachment,
  since: Date,
  execution: Execution & { readonly cacheDir?: string | undefined },
  list: NetworkList = parseConflist(from.config),
): Promise<void> {
  const { containerID, ifName, args, capabilityArgs } = from;
  const cache = new ResultCache(execution.cacheDir);
  // Whoever began it may have been killed when it was over.
  const result = from.result ?? unlessDamaged(() => cache.read(from)?.result);
  const netns = remainingNetns({ ...from, result, since });
  const attaching = { ...execution, containerID, netns, ifName, args, capabilityArgs, signal: undefined };
  await delChain(list, attaching, result && inVersionOf(list, result));
  cache.remove(from);
}

function unlessDamaged<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** As it is where it cannot be converted: the plugins say better what is wrong with it. */
export function inVersionOf({ cniVersion }: NetworkList, result: JsonObject): JsonObject {
  try {
    return convertResult(result, versionOfResult(result, cniVersion), cniVersion);
  } catch {
    return result;
  }
}

import type { NetworkList } from '../cni/conflist.ts';
import type { ValidAttachment } from '../cni/valid-attachments.ts';
import { isAtLeast } from '../cni/version.ts';
import { attemptAll } from './attempt-all.ts';
import { gcChain } from './chain.ts';
import { withNetwork } from './claims.ts';
import { delNetworkList, type RuntimeConfiguration } from './network-list.ts';
import { type CachedAttachment, ResultCache } from './result-cache.ts';

export interface GarbageCollection
  extends Omit<RuntimeConfiguration, 'containerID' | 'netns' | 'ifName' | 'args' | 'capabilityArgs'> {
  /**
   * All that there are; every other attachment to the network is garbage. There is no way not to say: that means none. A
   * function is asked when it has to be known, and again before the plugins are: runtimes may attach containers meanwhile.
   */
  readonly validAttachments: readonly ValidAttachment[] | (() => readonly ValidAttachment[]);
  /** Is told of each attachment that gets its DEL. */
  readonly onStale?: ((attachment: CachedAttachment) => void) | undefined;
}

/**
 * DEL of every cached attachment to the network that is not valid, then GC of every plugin, since 1.1.0. All have their
 * turn, and then the first error is thrown, with the others in its details. Nothing when the list disables it.
 */
export async function gcNetworkList(list: NetworkList, collection: GarbageCollection): Promise<void> {
  if (!list.disableGC) await withNetwork(list, collection, 'alone', () => collect(list, collection));
}

async function collect(list: NetworkList, collection: GarbageCollection): Promise<void> {
  const { validAttachments, cacheDir, onStale } = collection;
  const valid = typeof validAttachments === 'function' ? validAttachments : () => validAttachments;
  // In this order: what is cached in between is not stale.
  const cached = new ResultCache(cacheDir).list().entries.map(({ attachment }) => attachment);
  const living = valid();
  const isLiving = ({ containerID, ifName }: ValidAttachment) =>
    living.some((one) => one.containerID === containerID && one.ifName === ifName);
  const stale = cached.filter((attachment) => attachment.network === list.name && !isLiving(attachment));
  const deletions = stale.map((attachment) => async () => {
    onStale?.(attachment);
    const { containerID, netns, ifName, args, capabilityArgs } = attachment;
    await delNetworkList(list, { ...collection, containerID, netns, ifName, args, capabilityArgs });
  });
  const askPlugins = async () => {
    if (isAtLeast(list.cniVersion, '1.1.0')) await gcChain(list, collection, valid());
  };
  await attemptAll(...deletions, askPlugins);
}

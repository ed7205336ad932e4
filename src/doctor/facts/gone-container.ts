import { addressesOf } from '../../cni/result.ts';
import type { Evidence } from '../../findings/finding.ts';
import { NotNetworkNamespaceError, openNamespace } from '../../kernel/netns.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { attachmentState, isOwnNetwork } from '../../runtime/attachment-state.ts';
import type { CacheEntry } from '../../runtime/result-cache.ts';
import type { Survey } from '../survey.ts';
import { addressHolders } from './address-holders.ts';
import { isOutOfSight } from './hidden-peers.ts';
import { isPresent } from './made-attachments.ts';

/** A cached attachment whose container is gone, and what is at its namespace's path now. */
export interface AbandonedCache {
  readonly entry: CacheEntry;
  /** `missing`: nothing. `replaced`: something else, which a DEL would stumble on. */
  readonly kind: 'missing' | 'replaced';
  /** In one line. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

/**
 * Those that are older than the minimum age, oldest first; but none whose address some namespace of this node has, and
 * none whose end of a veth is somewhere: it may be mounted where this process does not see it. Throws Unseen.
 */
export function abandonedCaches(survey: Survey): readonly AbandonedCache[] {
  return survey.once('abandoned caches', 'cached attachments', () => {
    const found = survey
      .cache()
      .entries.filter(({ attachment }) => survey.concerns(attachment.network))
      .filter(({ attachment, since }) => survey.isSettled(since) && !isPresent(survey, attachment))
      .map(abandonedCache)
      .filter((cache) => cache !== undefined);
    return found.filter(({ entry }) => !isHeld(entry, survey) && !isOutOfSight(survey, entry.attachment));
  });
}

function isHeld({ attachment }: CacheEntry, survey: Survey): boolean {
  const holders = addressHolders(survey);
  return addressesOf(attachment.result).some((address) => holders.has(address.replace(/\/.*/, '')));
}

/** Undefined where the container is still there, or that cannot be told. Looks anew each time. Never throws. */
export function abandonedCache(entry: CacheEntry): AbandonedCache | undefined {
  const { attachment, since, path } = entry;
  if (attachmentState({ ...attachment, since }) !== 'gone') return undefined;
  const { netns } = attachment;
  const { kind, reason } = whyGone(netns);
  const evidence = [
    { source: path, text: `"netns": ${JSON.stringify(netns)}` },
    { source: `ls -lL ${shellWord(netns)}`, text: reason },
  ];
  return { entry, kind, reason, evidence };
}

function whyGone(netns: string): Pick<AbandonedCache, 'kind' | 'reason'> {
  try {
    openNamespace(netns).close();
    // What it leads to is a network, and not this container's.
    if (isOwnNetwork(netns))
      return { kind: 'replaced', reason: `${netns} is the network of the node itself` };
    return { kind: 'replaced', reason: `${netns} is of a process that was started later` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof NotNetworkNamespaceError ? 'replaced' : 'missing', reason };
  }
}

import { shellWord } from '../../lint/shell-word.ts';
import { isBeforeBoot } from '../facts/boot.ts';
import { type AbandonedCache, abandonedCaches } from '../facts/gone-container.ts';
import { grouped } from '../grouped.ts';
import { detachGone } from '../mends/detach-gone.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const cacheWithoutContainer: Rule = {
  id: 'D006',
  name: 'cache-without-container',
  severity: 'warning',
  summary: 'A runtime still remembers an attachment whose container is gone.',
  meaning:
    'its DEL was never done, or failed: its address, its host ports and its rules are kept from other pods',
  *find(survey) {
    const found = abandonedCaches(survey);
    const missing = found.filter(({ kind }) => kind === 'missing');
    for (const [network, caches] of grouped(missing, networkOf)) yield ofNetwork(network, caches, survey);
    for (const cache of found) if (cache.kind === 'replaced') yield replaced(cache, survey);
  },
};

function ofNetwork(network: string, caches: readonly AbandonedCache[], survey: Survey): Draft {
  const [first] = caches as [AbandonedCache];
  return {
    object: `network ${network}`,
    cause:
      caches.length === 1
        ? 'the container of a cached attachment is gone'
        : `the containers of ${caches.length} cached attachments are gone`,
    evidence: caches.slice(0, 3).flatMap(({ evidence }) => evidence),
    ...common(network, first.entry.since, caches, survey),
  };
}

/** Worse than that nothing is there: plugins refuse such a path, and so each DEL fails. */
function replaced(cache: AbandonedCache, survey: Survey): Draft {
  const { containerID, ifName, network } = cache.entry.attachment;
  return {
    object: `container ${containerID} ${ifName}`,
    severity: 'error',
    cause: `its namespace is gone, and something else has its path: ${cache.reason}`,
    meaning:
      'plugins refuse such a path, and each DEL fails: the pod stays in Terminating, and keeps its address',
    evidence: cache.evidence,
    ...common(network, cache.entry.since, [cache], survey),
  };
}

function common(network: string, since: Date, caches: readonly AbandonedCache[], survey: Survey) {
  const areOld = caches.every(({ entry }) => isBeforeBoot(survey, entry.since));
  return {
    since,
    fix: ['cni-debug doctor --fix', `cni-debug gc ${shellWord(network)}`],
    follows: areOld ? [{ id: 'D013' }] : [],
    mend: detachGone(
      survey,
      caches.map(({ entry }) => entry.attachment),
    ),
  };
}

function networkOf({ entry }: AbandonedCache): string {
  return entry.attachment.network;
}

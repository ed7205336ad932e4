import { attachmentState } from '../../runtime/attachment-state.ts';
import type { StoredRecord } from '../../trace/stored-record.ts';
import type { Survey } from '../survey.ts';

/** What is longer ago is nobody's trouble any more, or has been tried again. */
const longestAgoMs = 3600_000;

/** A runtime does the DEL of an ADD that failed at once; one that comes later means that nobody wants it any more. */
const cleanUpMs = 10_000;

/** And it tries again so often, when it still wants the pod. */
const longestPauseMs = 5 * 60_000;

/**
 * The last ADD of each attachment that nobody got since, newest first. A pod that is tried again has a new container each
 * time, so there it goes by the pod.
 */
export function failingAttachments(survey: Survey): StoredRecord[] {
  const lastAdds = new Map<string, StoredRecord>();
  const lastSeen = new Map<string, StoredRecord>();
  const removedAt = new Map<string, number>();
  for (const record of survey.records()) {
    const { kind, command, error, startedAt } = record;
    const key = keyOf(record);
    if (kind !== 'call') continue;
    if (!lastSeen.has(key)) lastSeen.set(key, record);
    if (command === 'DEL' && error === undefined && !removedAt.has(key))
      removedAt.set(key, startedAt.getTime());
    if (command === 'ADD' && !lastAdds.has(key)) lastAdds.set(key, record);
  }
  return [...lastAdds].flatMap(([key, record]) => {
    const { error, startedAt, duration = 0 } = record;
    const isNews = survey.now - startedAt.getTime() <= longestAgoMs;
    const isRemoved = (removedAt.get(key) ?? 0) > startedAt.getTime() + duration + cleanUpMs;
    if (error === undefined || !isNews || isRemoved) return [];
    const { pod, netns, ifName } = record;
    const isGone = attachmentState({ netns, ifName }) === 'gone';
    const silentMs = survey.now - (lastSeen.get(key) ?? record).startedAt.getTime();
    return isGone && (pod === undefined || silentMs > longestPauseMs) ? [] : [record];
  });
}

function keyOf({ network, ifName, containerID, pod }: StoredRecord): string {
  const whose =
    pod === undefined || pod.name === '' ? containerID : `${pod.namespace}/${pod.name}/${pod.uid}`;
  return [network, ifName, whose].join('\n');
}

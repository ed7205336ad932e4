import { isObject } from '../cni/json.ts';
import { addressesOf } from '../cni/result.ts';
import type { Life, Operation } from '../trace/life.ts';
import { endOf } from '../trace/life-span.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { visible } from '../trace/visible-text.ts';
import { durationText } from './duration-text.ts';
import { timeText } from './time-text.ts';

/** Whose life it is: `eth0 of default/web (3f2a0c...) in network "lab", /var/run/netns/web`. */
export function titleOf({ network, containerID, ifName, netns, pod }: Life): string {
  if (containerID === '') return visible(`network ${JSON.stringify(network)}, no container`);
  const podName = pod && [pod.namespace, pod.name].filter(Boolean).join('/');
  const whose = podName ? `${podName} (${containerID})` : containerID;
  const place = netns === '' ? '' : `, ${netns}`;
  return visible(`${ifName || '(no interface)'} of ${whose} in network ${JSON.stringify(network)}${place}`);
}

/** What came of an operation, in a word or two, and whether that is good. */
export function endingOf(
  operation: Operation,
  isRunning: (record: StoredRecord) => boolean,
): { text: string; isGood: boolean } {
  const { error, isOpen, record } = operation;
  if (error !== undefined) return { text: 'failed', isGood: false };
  if (isOpen) {
    const text = record && isRunning(record) ? 'has not ended yet' : 'never ended: its process is gone';
    return { text, isGood: false };
  }
  const result = record?.document.result;
  const addresses = isObject(result) ? addressesOf(result) : [];
  return { text: visible(addresses.join(', ')) || 'done', isGood: true };
}

/** When, how long, and what came of it: `ADD 2026-11-28 00:42:57.226 +00:00, 55.2 ms: `. */
export function headOf({ name, start, duration, isOpen }: Operation): string {
  const took = isOpen ? '' : `, ${durationText(duration)}`;
  return `${visible(name)} ${timeText(start)}${took}: `;
}

/** What the reader should know about the numbers that follow; nothing where all is recorded. */
export function notesOf({ before, behind, traceID }: Operation): string[] {
  const missing = [
    ...(before.length > 0 ? [`${before.join(', ')} before that`] : []),
    ...(behind.length > 0 ? [`${behind.join(', ')} behind that`] : []),
  ];
  return [
    ...(missing.length > 0 ? [`not recorded: ${visible(missing.join('; '))}`] : []),
    ...(traceID === undefined ? [] : [`trace ${visible(traceID)}`]),
  ];
}

/** The time from one operation to the next. */
export function pauseBetween(before: Operation, after: Operation): string {
  const ms = after.start - endOf(before);
  return ms < -slopMs ? 'the clock was set back' : `${durationText(Math.max(0, ms))} later`;
}

/** Records say the beginning to the millisecond. */
const slopMs = 2;

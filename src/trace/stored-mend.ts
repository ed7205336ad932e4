import { isObject, type Json } from '../cni/json.ts';
import { recordVersion } from './record.ts';
import type { StoredRecord } from './stored-record.ts';

/**
 * What `doctor --fix` has written into a journal about one finding, as a record of the plugin `doctor` whose command is the
 * ID of the rule; its container and network are those that the finding's object names. Undefined for anything else.
 */
export function storedMend(document: Json | undefined): StoredRecord | undefined {
  if (!isObject(document) || document.v !== recordVersion || document.kind !== 'mend') return undefined;
  const { id, level, msg, duration, finding, object, failure } = document;
  const startedAt = new Date(textOf(document.startedAt));
  if (Number.isNaN(startedAt.getTime())) return undefined;
  const [, network = ''] = /^network (.*)$/.exec(textOf(object)) ?? [];
  const [, containerID = '', ifName = ''] = /^container (\S+) ?(.*)$/.exec(textOf(object)) ?? [];
  return {
    ...{ kind: 'mend', startedAt, document, plugin: 'doctor', netns: '', pod: undefined, trace: undefined },
    ...{ id: textOf(id), level: textOf(level), msg: textOf(msg), command: textOf(finding) },
    ...{ network, containerID, ifName },
    duration: typeof duration === 'number' ? duration : undefined,
    error: typeof failure === 'string' ? { code: 0, msg: failure, details: '' } : undefined,
  };
}

/** What was done, and what was left as it was and why, a line each. */
export function mendLines({ document }: StoredRecord): { done: string[]; left: string[] } {
  return { done: textsIn(document.done), left: textsIn(document.left) };
}

/** Whether it, or a line of it, names a container, a network or an address, or one whose name begins so. */
export function mentions(record: StoredRecord, word: string, isWhole: boolean): boolean {
  const { done, left } = mendLines(record);
  const words = [textOf(record.document.object), ...done, ...left].join(' ').split(/[\s",]+|:(?=\s|$)/);
  return words.some((one) => (isWhole ? one === word : one.startsWith(word)));
}

function textsIn(list: Json | undefined): string[] {
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

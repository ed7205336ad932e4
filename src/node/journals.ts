import type { NetworkList } from '../cni/conflist.ts';
import { textsIn } from '../runtime/every-plugin.ts';
import { recordsFromEnd } from '../trace/journal-reader.ts';
import { defaultJournal } from '../trace/journal-settings.ts';

/** Every file in which the plugins of a network may keep their records: the one that all do, and those it names. */
export function journalsOf(list: Pick<NetworkList, 'plugins'>): string[] {
  return [...new Set([defaultJournal.path, ...textsIn(list, 'journal', 'path')])];
}

/** The record of a call in a journal. */
export interface RecordPlace {
  readonly id: string;
  readonly path: string;
  /** It is of a call that failed, and not only of one before that. */
  readonly isFailure: boolean;
}

/**
 * The record that explains why a call failed: the first of this attachment that ended in an error since then; else the
 * last that there is of it. Undefined where nobody has recorded it, or the journal cannot be read.
 */
export function failureRecord(
  list: NetworkList,
  { containerID, ifName }: { containerID: string; ifName: string },
  since: Date,
): RecordPlace | undefined {
  const found: RecordPlace[] = [];
  for (const path of journalsOf(list)) {
    try {
      for (const record of recordsFromEnd(path)) {
        if (record.startedAt < since) break;
        const { kind, id, error } = record;
        if (kind !== 'call' || record.containerID !== containerID || record.ifName !== ifName) continue;
        found.push({ id, path, isFailure: error !== undefined });
      }
    } catch {
      // A journal that cannot be read explains nothing.
    }
  }
  return found.filter(({ isFailure }) => isFailure).at(-1) ?? found[0];
}

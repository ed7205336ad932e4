import { journalsOf } from '../../node/journals.ts';
import { newestRecords } from '../../node/newest-records.ts';
import { claimFolder } from '../../runtime/claims.ts';
import { type LeftClaim, leftClaims } from '../../runtime/left-claims.ts';
import { isRunning } from '../../trace/living-process.ts';
import type { StoredRecord } from '../../trace/stored-record.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

/** What is longer ago is known by what it has left, and not by its record. */
const longestAgoMs = 24 * 3600_000;

/** A call that began, whose end nobody has written down. */
export interface UnfinishedCall {
  readonly record: StoredRecord;
  /** Its process is still there. */
  readonly isRunning: boolean;
}

/**
 * Of the last day, newest first, one for each attachment; but none that a later ADD or DEL of the attachment has made
 * good. Throws Unseen.
 */
export function unfinishedCalls(survey: Survey): readonly UnfinishedCall[] {
  const ended = new Set<string>();
  const settled = new Set<string>();
  const found: UnfinishedCall[] = [];
  for (const record of survey.records()) {
    if (survey.now - record.startedAt.getTime() > longestAgoMs) continue;
    const { kind, id, error, command } = record;
    const key = [record.network, record.containerID, record.ifName].join('\n');
    if (kind === 'call') {
      ended.add(id);
      if (error === undefined && ['ADD', 'DEL'].includes(command)) settled.add(key);
      continue;
    }
    if (id === '' || ended.has(id) || settled.has(key)) continue;
    settled.add(key);
    found.push({ record, isRunning: isRunning(record) });
  }
  return found.some(({ isRunning }) => !isRunning) ? withoutEnded(found, survey) : found;
}

/** A process that was there when the journal was read may have ended as it should: it has written that down by now. */
function withoutEnded(calls: readonly UnfinishedCall[], survey: Survey): UnfinishedCall[] {
  const journals = [{ plugins: [] }, ...survey.everyNetwork()].flatMap(journalsOf);
  const ended = new Set<string>();
  const oldest = Math.min(...calls.map(({ record }) => record.startedAt.getTime()));
  see('journals', () => {
    for (const { kind, id, startedAt } of newestRecords([...new Set(journals)])) {
      if (kind === 'call') ended.add(id);
      // Behind it are those that had been written when it began.
      else if (startedAt.getTime() < oldest) break;
    }
  });
  return calls.filter(({ record }) => !ended.has(record.id));
}

/** What calls of the command line that were killed had begun, as far as it is of networks that are looked at. */
export function abandonedClaims(survey: Survey): readonly LeftClaim[] {
  const folder = claimFolder(survey.settings);
  return survey
    .once('claims', folder, () => leftClaims(folder))
    .filter(({ left }) => left.attachments.some(({ network }) => survey.concerns(network)))
    .filter(({ left }) => survey.isSettled(left.since));
}

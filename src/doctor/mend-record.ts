import { readFileSync } from 'node:fs';
import type { Json, JsonObject } from '../cni/json.ts';
import { openTrace } from '../cni/trace-context.ts';
import { writeJournal } from '../trace/journal.ts';
import { defaultJournal } from '../trace/journal-settings.ts';
import { recordVersion } from '../trace/record.ts';
import { redactor } from '../trace/redaction.ts';
import type { Mending } from './fix.ts';

/**
 * Writes down in the default journal what was done about a finding: a line of kind `mend`. Returns why that was not
 * possible, or what else is worth a word; a journal that cannot be written keeps nothing from being mended.
 */
export function recordMend(mending: Mending): string | undefined {
  const { finding, startedAt, duration, done, left, failure } = mending;
  const record = {
    v: recordVersion,
    kind: 'mend',
    id: openTrace({}).spanID,
    startedAt: startedAt.toISOString(),
    duration,
    finding: finding.id,
    object: finding.object,
    done,
    left,
    failure,
    process: { pid: process.pid, ppid: process.ppid, parent: firstLine(`/proc/${process.ppid}/comm`) },
    boot: firstLine('/proc/sys/kernel/random/boot_id'),
  };
  const level = failure !== undefined ? 'error' : left.length > 0 ? 'warn' : 'info';
  try {
    const redacted = redactor().json(withoutAbsent(record)) as JsonObject;
    return writeJournal(defaultJournal, level, redacted, headline(mending));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `D001 network lab: 3 done, 1 left` */
export function headline({ finding, done, left, failure }: Mending): string {
  const what = `${finding.id} ${finding.object}`;
  if (failure !== undefined) return `${what}: not mended: ${failure}`;
  return `${what}: ${done.length} done${left.length === 0 ? '' : `, ${left.length} left as it was`}`;
}

function withoutAbsent(record: object): Json {
  return JSON.parse(JSON.stringify(record));
}

function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

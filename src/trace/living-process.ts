import { readFileSync } from 'node:fs';
import { isObject } from '../cni/json.ts';
import type { StoredRecord } from './stored-record.ts';

/** Whether the process that made a record is still there: its number may be another's by now, or of another boot. */
export function isRunning({ document, startedAt }: StoredRecord): boolean {
  const pid = isObject(document.process) ? document.process.pid : undefined;
  try {
    if (typeof pid !== 'number' || document.boot !== text('/proc/sys/kernel/random/boot_id').trim())
      return false;
    return startOf(pid) <= startedAt.getTime() + slackMs;
  } catch {
    return false;
  }
}

/** Ticks are 10 ms long, and the clock may have been set since. */
const slackMs = 1000;

/** proc(5): field 22 of stat, in ticks since boot; a name before it may have spaces and parentheses. */
function startOf(pid: number): number {
  const stat = text(`/proc/${pid}/stat`);
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const booted = Number(/^btime (\d+)$/m.exec(text('/proc/stat'))?.[1]);
  return booted * 1000 + ticks * 10;
}

function text(path: string): string {
  return readFileSync(path, 'utf8');
}

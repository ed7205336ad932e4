import { readFileSync } from 'node:fs';
import type { Survey } from '../survey.ts';

/** When this node was started, by the clock as it goes now (proc(5), `btime`). Throws Unseen. */
export function bootedAt(survey: Survey): Date {
  return survey.once('btime', '/proc/stat', () => {
    const [, seconds] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1')) ?? [];
    if (seconds === undefined) throw new Error('it has no line "btime"');
    return new Date(Number(seconds) * 1000);
  });
}

/** Whether it was before the node was started. Where that is not known, nothing was. */
export function isBeforeBoot(survey: Survey, moment: Date): boolean {
  const [booted] = survey.each([survey], bootedAt);
  return booted !== undefined && moment.getTime() < booted.getTime() - slackMs;
}

/** The clock is set soon after the start, and files are written with it as it was before. */
const slackMs = 1000;

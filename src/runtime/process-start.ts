import { readFileSync } from 'node:fs';

/**
 * When a process was started, by the clock as it goes now. Undefined when it is gone, or has ended and waits for its
 * parent: then it is in no namespace any more.
 */
export function processStart(pid: number): Date | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the command, in which there may be anything: state, ..., starttime (proc_pid_stat(5), 3 and 22).
    const facts = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', ticks] = [facts[0], Number(facts[22 - 3])];
    const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
    if (endedStates.includes(state) || Number.isNaN(ticks + uptime)) return undefined;
    return new Date(Date.now() - (uptime - ticks / ticksPerSecond) * 1000);
  } catch {
    return undefined;
  }
}

/**
 * Whether a process was started later than what names it was written: then it is another one, which got the number of
 * one that has ended.
 */
export function isReused(pid: number, namedAt: Date): boolean {
  const start = processStart(pid);
  return start !== undefined && isLater(start, namedAt);
}

/** By more than the two clocks may differ that they were read from. */
export function isLater(start: Date, moment: Date): boolean {
  return start.getTime() > moment.getTime() + slackMs;
}

const endedStates = ['Z', 'X', 'x'];
/** USER_HZ. */
const ticksPerSecond = 100;
/** They are read one after the other, and one of them is coarse. */
const slackMs = 1000;

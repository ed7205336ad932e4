import { readFileSync, statSync } from 'node:fs';
import { describeHolder, type LockHolder } from '../../kernel/file-lock.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { processStart } from '../../runtime/process-start.ts';
import { type HeldLock, heldAt, isSuspicious, type LockPlace, lockPlaces } from '../facts/held-locks.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

/** A lock is held for about a millisecond, or while another plugin gives an address. */
const longMs = 2000;
const pauseMs = 100;

export const lockHeld: Rule = {
  id: 'D007',
  name: 'lock-held',
  severity: 'error',
  summary: 'A process keeps a lock that every call of a network waits for.',
  meaning:
    'ADD and DEL wait for it, until they give up with code 11 or the runtime does: pods neither start nor end',
  find: async (survey) => (await heldForLong(survey)).map(found),
};

/** Looked at again and again while time passes: one that was free, or another process had, is in use and not stuck. */
async function heldForLong(survey: Survey): Promise<HeldLock[]> {
  let held = look(lockPlaces(survey), survey).filter(isSuspicious);
  for (const until = performance.now() + longMs; held.length > 0 && performance.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    held = held.flatMap((before) =>
      look([before.place], survey).filter(({ holders }) => isSame(before.holders, holders)),
    );
  }
  return held;
}

function look(places: readonly LockPlace[], survey: Survey): HeldLock[] {
  return survey
    .each(places, (place) => see(place.path, () => heldAt(place)))
    .filter((held) => held !== undefined);
}

/** Where nobody can be seen, it may be. */
function isSame(before: readonly LockHolder[], after: readonly LockHolder[]): boolean {
  if (before.length === 0 || after.length === 0) return before.length === after.length;
  return before.some(({ pid }) => after.some((one) => one.pid === pid));
}

function found({ place: { path, object, what }, holders }: HeldLock): Draft {
  const who = holders.map(describeHolder).join(', ') || 'a process that cannot be seen from here';
  const starts = holders.flatMap(({ pid }) => processStart(pid)?.getTime() ?? []);
  const [first] = holders;
  return {
    object,
    cause: `${what} has been held for more than ${longMs / 1000} s by ${who}`,
    evidence: [
      { source: '/proc/locks', text: linesOf(path, holders).join('; ') || `${path} is locked` },
      ...holders.flatMap(({ pid }) => commandLine(pid)),
    ],
    // When it took the lock the kernel does not say: not before it was there.
    ...(starts.length === 0 ? {} : { since: new Date(Math.min(...starts)) }),
    fix:
      first === undefined
        ? [`find who has it open, on the node itself: fuser -v ${shellWord(path)}`]
        : [
            `see what it waits for: ps -o pid,etime,stat,wchan,args ${first.pid} --ppid ${first.pid}`,
            `fuser -v ${shellWord(path)}`,
            `kill ${first.pid}`,
          ],
  };
}

/** `1: FLOCK ADVISORY WRITE 98 00:3a:17 0 EOF`, and those who wait for it behind `->`. */
function linesOf(path: string, holders: readonly LockHolder[]): string[] {
  const inode = statSync(path, { throwIfNoEntry: false })?.ino;
  const lines = readFileSync('/proc/locks', 'latin1').split('\n');
  const own = lines.filter((line) => line.includes(`:${inode} `));
  return own.filter((line) => holders.some(({ pid }) => line.includes(` ${pid} `)) || line.includes('->'));
}

function commandLine(pid: number): { source: string; text: string }[] {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    return [{ source: `/proc/${pid}/cmdline`, text: words.join(' ') }];
  } catch {
    // It has ended, and a child of it has the lock.
    return [];
  }
}

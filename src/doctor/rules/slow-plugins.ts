import { shellWord } from '../../lint/shell-word.ts';
import { type RecordedRun, recordedRuns } from '../facts/recorded-runs.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

/** ms; most plugins take less than a hundredth of that. */
const slowMs = 2000;
/** How many calls it takes until one in two, and one in twenty, says something. */
const enoughForHalf = 3;
const enoughForTwentieth = 20;
/** A single call, as long as it is news. */
const verySlowMs = 4000;
const recentMs = 3600_000;

export const pluginSlow: Rule = {
  id: 'D011',
  name: 'plugin-slow',
  severity: 'warning',
  summary: 'A plugin takes seconds for its calls.',
  meaning: 'pods take that much longer to start or to end, and those that wait for the same lock, too',
  *find(survey) {
    const measured = recordedRuns(survey).filter(({ ownMs }) => ownMs !== undefined);
    for (const [type, runs] of grouped(measured, ({ type }) => type)) {
      const slow = [...grouped(runs, ({ command }) => command)].filter(([, calls]) => isSlow(calls, survey));
      if (slow.length > 0) yield found(type, slow);
    }
  },
};

function isSlow(calls: readonly RecordedRun[], survey: Survey): boolean {
  const times = timesOf(calls);
  if (calls.length >= enoughForHalf && percentile(times, 50) > slowMs) return true;
  if (calls.length >= enoughForTwentieth && percentile(times, 95) > slowMs) return true;
  return calls.some(
    ({ ownMs = 0, record }) => ownMs > verySlowMs && survey.now - record.startedAt.getTime() <= recentMs,
  );
}

function found(type: string, slow: readonly [string, readonly RecordedRun[]][]): Draft {
  const calls = slow.flatMap(([, calls]) => calls);
  const slowest = [...calls].sort((one, other) => (other.ownMs ?? 0) - (one.ownMs ?? 0)).slice(0, 3);
  const networks = new Set(calls.map(({ record }) => record.network));
  return {
    object: `plugin ${type}`,
    cause: slow.map(([command, calls]) => percentiles(command, timesOf(calls))).join('; '),
    evidence: slowest.map(({ ownMs = 0, command, record }) => ({
      source: `cni-debug trace ${shellWord(record.id)}`,
      text: `${record.startedAt.toISOString()} ${command} of network "${record.network}": ${text(ownMs)}`,
    })),
    since: new Date(Math.min(...slowest.map(({ record }) => record.startedAt.getTime()))),
    fix: ['cni-debug trace --summary', `cni-debug logs --steps ${shellWord(slowest[0]?.record.id ?? '')}`],
    // Whoever waits for a lock is not slow himself.
    follows: [...networks].map((network) => ({ id: 'D007', object: `network ${network}` })),
  };
}

function percentiles(command: string, times: readonly number[]): string {
  const half = `p50 ${text(percentile(times, 50))}, p95 ${text(percentile(times, 95))}`;
  return `${command} takes ${half} (${times.length} call${times.length === 1 ? '' : 's'} in the last 24 h)`;
}

function timesOf(calls: readonly RecordedRun[]): number[] {
  return calls.map(({ ownMs = 0 }) => ownMs).sort((one, other) => one - other);
}

/** The smallest of the times, which are sorted, that so many percent of them do not exceed. */
function percentile(times: readonly number[], percent: number): number {
  return times[Math.max(0, Math.ceil((times.length * percent) / 100) - 1)] ?? 0;
}

function text(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../lint/shell-word.ts';
import type { Trouble } from '../facts/plugin-trouble.ts';
import { type RecordedRun, recordedRuns } from '../facts/recorded-runs.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

/** What has gone well since is told of for so long. */
const recentMs = 3600_000;

export const pluginCrashed: Rule = {
  id: 'D009',
  name: 'plugin-crashed',
  severity: 'error',
  summary: 'A plugin was killed, ended without an answer, did not answer in time, or could not be started.',
  meaning: 'the call failed, and what the plugin had made by then may still be there',
  *find(survey) {
    yield* troubled(
      survey,
      'crash',
      'see what it said and did, and dmesg for the kernel that ends it for memory',
    );
  },
};

export const pluginOutputMalformed: Rule = {
  id: 'D010',
  name: 'plugin-output-malformed',
  severity: 'error',
  summary: 'A plugin printed no result, half of one, two of them, or something else beside it.',
  meaning: 'runtimes refuse such an answer: the pod does not start, whatever the plugin has made',
  *find(survey) {
    yield* troubled(
      survey,
      'output',
      'mend the plugin: stdout is for the one JSON value, logs belong on stderr',
    );
  },
};

interface Troubled {
  readonly run: RecordedRun;
  readonly trouble: Trouble;
}

/** One for each plugin type. */
function* troubled(survey: Survey, kind: Trouble['kind'], advice: string): Generator<Draft> {
  for (const [type, runs] of grouped(recordedRuns(survey), ({ type }) => type)) {
    const calls = [...grouped(runs, ({ command, record }) => `${command} ${record.network}`).values()];
    const found = calls.map((sameCall) => ({
      bad: sameCall.flatMap((run) =>
        run.trouble?.kind === kind && !isReplaced(run, survey) ? [{ run, trouble: run.trouble }] : [],
      ),
      isLast: sameCall[0]?.trouble?.kind === kind,
    }));
    const lasting = found.filter(({ bad, isLast }) => isLast && bad.length > 0);
    const passed = found.filter(({ bad }) => bad.some(({ run }) => isRecent(run, survey)));
    const told = lasting.length > 0 ? lasting : passed;
    const newestFirst = told
      .flatMap(({ bad }) => bad)
      .sort((one, other) => timeOf(other.run) - timeOf(one.run));
    const severity = lasting.length > 0 ? 'error' : 'warning';
    if (newestFirst.length > 0) yield { ...draftOf(type, newestFirst, advice), severity };
  }
}

function draftOf(type: string, newestFirst: readonly Troubled[], advice: string): Draft {
  const [newest, oldest] = [newestFirst[0], newestFirst.at(-1)] as [Troubled, Troubled];
  const times = newestFirst.length === 1 ? '' : `; so ${newestFirst.length} times in the last 24 h`;
  return {
    object: `plugin ${type}`,
    cause: `${newest.trouble.text}${times}`,
    evidence: newestFirst.slice(0, 3).map(({ run, trouble }) => ({
      source: `cni-debug logs ${shellWord(run.record.id)}`,
      text: `${run.record.startedAt.toISOString()} ${run.command} of network "${run.record.network}": ${trouble.text}`,
    })),
    since: oldest.run.record.startedAt,
    fix: [`cni-debug logs --steps ${shellWord(newest.run.record.id)}`, advice],
    follows: [
      { id: 'D014', object: `plugin ${type}` },
      { id: 'D015', object: `plugin ${type}` },
    ],
  };
}

/** Another executable has its name since: what the old one did says nothing of it. */
function isReplaced({ type, record }: RecordedRun, survey: Survey): boolean {
  const folders = survey.settings.pluginPath.split(':');
  const found = folders
    .map((folder) => changedAt(join(folder || '.', type)))
    .find((time) => time !== undefined);
  return found !== undefined && found > record.startedAt.getTime() + (record.duration ?? 0);
}

/** ms since 1970; a file that was copied with its time has a new inode all the same. */
function changedAt(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ctimeMs;
  } catch {
    return undefined;
  }
}

function isRecent(run: RecordedRun, survey: Survey): boolean {
  return survey.now - timeOf(run) <= recentMs;
}

function timeOf({ record }: RecordedRun): number {
  return record.startedAt.getTime();
}

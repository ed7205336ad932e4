import { readFileSync } from 'node:fs';
import { isObject } from '../../cni/json.ts';
import type { Evidence, Reason } from '../../findings/finding.ts';
import { shellWord } from '../../lint/shell-word.ts';
import type { LeftClaim } from '../../runtime/left-claims.ts';
import type { StoredRecord } from '../../trace/stored-record.ts';
import { isBeforeBoot } from '../facts/boot.ts';
import { abandonedClaims, unfinishedCalls } from '../facts/unfinished-calls.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

/** A call that takes longer is worth a word; plugins that ask an API for an address may take that long. */
const longMs = 60_000;

export const callWithoutEnd: Rule = {
  id: 'D008',
  name: 'call-without-end',
  severity: 'warning',
  summary: 'A call began, and never ended: its process is gone, or still runs.',
  meaning:
    'what it had done by then is still there, and what it had still to do is not: nobody takes that back',
  *find(survey) {
    const claims = survey.each([survey], abandonedClaims).flat().map(claimed);
    const calls = unfinishedCalls(survey);
    const gone = calls.filter(({ record, isRunning }) => !isRunning && survey.isSettled(record.startedAt));
    const killed = [...claims, ...gone.map(({ record }) => recorded(record, survey))];
    for (const drafts of grouped(killed, ({ object }) => object).values()) yield together(drafts);
    for (const { record, isRunning } of calls)
      if (isRunning && survey.now - record.startedAt.getTime() > longMs) yield running(record, survey);
  },
};

/** One that was killed may have left both a claim and a record. */
function together(drafts: readonly Draft[]): Draft {
  const [first] = drafts as [Draft];
  return { ...first, evidence: drafts.flatMap(({ evidence }) => evidence) };
}

function claimed({ path, left }: LeftClaim): Draft {
  const what = left.attachments.map(
    ({ network, containerID, ifName }) => `${network} ${containerID} ${ifName}`,
  );
  const [first] = left.attachments;
  return {
    object: `container ${first?.containerID ?? ''} ${first?.ifName ?? ''}`.trimEnd(),
    cause: 'a call of cni-debug was killed before its end, and nobody has taken back what it had begun',
    evidence: [{ source: path, text: `begun: ${what.join(', ')}` }],
    since: left.since,
    fix: ['cni-debug doctor --fix'],
  };
}

function recorded(record: StoredRecord, survey: Survey): Draft {
  const { command, startedAt, network, containerID, ifName, netns } = record;
  const pid = pidOf(record);
  const ended = { source: `/proc/${pid}`, text: 'no such process, or one that was started later' };
  return {
    object: objectOf(record),
    cause: `${command} of network "${network}" began and never ended: its process (${pid}) is gone`,
    evidence: [recordOf(record), ended],
    since: startedAt,
    fix:
      containerID === ''
        ? [`cni-debug ${command.toLowerCase()} ${shellWord(network)}`]
        : [
            `cni-debug del ${shellWord(network)} ${shellWord(netns || '/none')} --container-id ${shellWord(containerID)} --ifname ${shellWord(ifName)}`,
          ],
    follows: [...(isBeforeBoot(survey, startedAt) ? [{ id: 'D013' }] : []), ...lockOf(record)],
  };
}

function running(record: StoredRecord, survey: Survey): Draft {
  const { command, startedAt, network } = record;
  const pid = pidOf(record);
  const seconds = Math.round((survey.now - startedAt.getTime()) / 1000);
  return {
    object: objectOf(record),
    cause: `${command} of network "${network}" has been running for ${seconds} s: process ${pid}${waitingFor(pid)}`,
    meaning: 'the pod waits for it, and so does every other call for the same container',
    evidence: [recordOf(record), { source: `/proc/${pid}`, text: 'is the process that has written this' }],
    since: startedAt,
    fix: [`see what it waits for: ps -o pid,etime,stat,wchan,args ${pid} --ppid ${pid}`, `kill ${pid}`],
    follows: lockOf(record),
  };
}

function objectOf({ network, containerID, ifName }: StoredRecord): string {
  return containerID === '' ? `network ${network}` : `container ${containerID} ${ifName}`;
}

function recordOf({ id, msg }: StoredRecord): Evidence {
  return { source: `cni-debug logs ${shellWord(id)}`, text: msg };
}

function lockOf({ network }: StoredRecord): Reason[] {
  return [{ id: 'D007', object: `network ${network}` }];
}

function pidOf({ document }: StoredRecord): number {
  const pid = isObject(document.process) ? document.process.pid : undefined;
  return typeof pid === 'number' ? pid : 0;
}

/** Its children, which are plugins mostly; nothing where the kernel does not say them. */
function waitingFor(pid: number): string {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .trim()
      .split(' ')
      .filter(Boolean);
    const names = children.map((child) => `${readFileSync(`/proc/${child}/comm`, 'utf8').trim()} (${child})`);
    return names.length === 0 ? '' : `, whose child is ${names.join(', ')}`;
  } catch {
    return '';
  }
}

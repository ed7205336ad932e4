import type { Reason } from '../../findings/finding.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { objectsIn, type StoredRecord } from '../../trace/stored-record.ts';
import { failingAttachments } from '../facts/failing-attachments.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const attachmentFailing: Rule = {
  id: 'D012',
  name: 'attachment-failing',
  severity: 'error',
  summary: 'The last ADD of a container failed, and none has succeeded since.',
  meaning: 'its pod does not start: the runtime tries again, or has given up',
  *find(survey) {
    for (const record of failingAttachments(survey)) yield found(record, survey);
  },
};

function found(record: StoredRecord, survey: Survey): Draft {
  const { id, network, containerID, ifName, pod, startedAt, error } = record;
  const { code, msg, details } = error ?? { code: 0, msg: '', details: '' };
  const whose = pod === undefined || pod.name === '' ? '' : ` of pod ${pod.namespace}/${pod.name}`;
  return {
    object: `container ${containerID} ${ifName}`,
    cause: `ADD${whose} to network "${network}" failed with code ${code}: ${msg}`,
    evidence: [
      { source: `cni-debug logs ${shellWord(id)}`, text: `error ${code}: ${msg}` },
      ...(details === '' ? [] : [{ source: `cni-debug logs ${shellWord(id)}`, text: details }]),
    ],
    since: startedAt,
    fix: [`cni-debug trace ${shellWord(id)}`, `cni-debug logs --steps ${shellWord(containerID)}`],
    follows: reasons(record, `${msg}; ${details}`, survey),
  };
}

/** By what the error says: a finding that merely is there at the same time is no reason. */
function reasons(record: StoredRecord, text: string, survey: Survey): Reason[] {
  const { network, error } = record;
  const file = survey.files().networks.find(({ list }) => list.name === network)?.path;
  const ofNetwork = { object: `network ${network}` };
  return [
    ...typesIn(record, text).flatMap((type) => ofPlugin.map((id) => ({ id, object: `plugin ${type}` }))),
    ...(/lock/i.test(text) || error?.code === 11 ? [{ id: 'D007', ...ofNetwork }] : []),
    ...(/no (ip )?addresses? (is |are )?available|exhausted/i.test(text)
      ? [{ id: 'D002', ...ofNetwork }]
      : []),
    ...(file !== undefined && configurationCodes.includes(error?.code ?? 0)
      ? [{ id: 'D018', object: `file ${file}` }]
      : []),
    ...bridgesIn(text).map((bridge) => ({ id: 'D025', object: `bridge ${bridge}` })),
    ...(/\bport\b.*(taken|in use|already)/i.test(text) ? [{ id: 'D035' }] : []),
  ];
}

/** Missing, broken, of another version, crashed, or talkative. */
const ofPlugin = ['D014', 'D015', 'D016', 'D009', 'D010'];

/** Of the specification, section 5: 1, a version; 6 and 7, a configuration. */
const configurationCodes = [1, 6, 7];

/** Those that the error names, and those whose own failure it is. */
function typesIn(record: StoredRecord, text: string): string[] {
  const named = [...text.matchAll(/plugin "((?:[^"\\]|\\.)+)"/g)].map(([, type]) => type as string);
  const failed = objectsIn(record, 'delegates')
    .filter(({ failure }) => failure !== undefined)
    .map(({ type }) => String(type));
  return [...new Set([...named, ...failed])];
}

function bridgesIn(text: string): string[] {
  return [...text.matchAll(/"?([^\s"]{1,15})"? already has an IP address/g)].map(
    ([, name]) => name as string,
  );
}

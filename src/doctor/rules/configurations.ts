import type { Finding as LintFinding } from '../../lint/finding.ts';
import type { LintedFile } from '../../lint/linted-file.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { type LintResult, lintOf } from '../facts/lint-result.ts';
import { isConcerned, ofFiles } from '../facts/linted.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

/** D014, D015 and D016 say these. */
const saidElsewhere = ['L010', 'L012', 'L013', 'L014', 'L015'];

const noNetwork = 'L032';

/** What looks like a configuration and has another extension: somebody keeps it so, where others are loaded. */
const notLoaded = 'L028';

export const conflistIgnored: Rule = {
  id: 'D017',
  name: 'conflist-ignored',
  severity: 'error',
  summary: 'A configuration file that no runtime can load, or none at all that one loads.',
  meaning:
    'its network is not there; containerd and CRI-O give up at the first such file by name, and no pod starts',
  async find(survey) {
    const result = await lintOf(survey);
    return [...unloaded(result, survey), ...none(result, survey)];
  },
};

export const configurationRefused: Rule = {
  id: 'D018',
  name: 'configuration-refused',
  severity: 'error',
  summary: 'A configuration is loaded, and cannot work: a plugin refuses it, or it contradicts another.',
  meaning: 'ADD of the network fails, or its pods cannot be reached',
  async find(survey) {
    const isMeant = ({ id, severity }: LintFinding, file: LintedFile | undefined) =>
      severity === 'error' && file?.network !== undefined && !saidElsewhere.includes(id);
    return ofFiles(await lintOf(survey), isMeant, survey).map(withReason);
  },
};

/** A route that leads elsewhere may be what answers are dropped by: a packet proves that, and this is why, or only beside it. */
function withReason(draft: Draft): Draft {
  const isOverlap = draft.evidence.every(({ text }) => text.startsWith(`${subnetOverlapsHost} `));
  return isOverlap ? { ...draft, follows: [{ id: 'D029' }] } : draft;
}

const subnetOverlapsHost = 'L021';

/** Where `lint` has a rule for the reason, in its words. */
function unloaded(result: LintResult, survey: Survey): Draft[] {
  const said = ofFiles(
    result,
    ({ id, severity }, file) =>
      severity === 'error' &&
      file !== undefined &&
      file.network === undefined &&
      id !== noNetwork &&
      !saidElsewhere.includes(id),
    survey,
  );
  const isSaid = ({ path }: LintedFile) => said.some(({ object }) => object === `file ${path}`);
  const isVersion = ({ path }: LintedFile) =>
    result.findings.some(({ id, file }) => id === 'L010' && file === path);
  const others = result.context.files.filter(
    (file) => file.network === undefined && isConcerned(file, survey) && !isSaid(file) && !isVersion(file),
  );
  return [
    ...said,
    ...others.map(({ path, refusal, obstacle }) =>
      refused(path, refusal ?? obstacle ?? 'it is no configuration'),
    ),
  ];
}

function refused(path: string, reason: string): Draft {
  return {
    object: `file ${path}`,
    cause: `cannot be loaded: ${reason}`,
    evidence: [{ source: path, text: reason }],
    fix: [`cni-debug lint ${shellWord(path)}`],
  };
}

const noPod = 'no pod starts: the runtime waits for a network, and the node is not ready';

/** With everything that is there and would be one under another name. */
function none({ findings, hasDirectory }: LintResult, survey: Survey): Draft[] {
  const { confDir } = survey.settings;
  if (survey.settings.network !== undefined) return [];
  if (!hasDirectory)
    return [
      {
        object: `file ${confDir}`,
        cause: 'is not there: no runtime finds a network',
        meaning: noPod,
        evidence: [{ source: `ls ${shellWord(confDir)}`, text: 'No such file or directory' }],
        fix: [`put the configuration of a network into ${confDir}, or say with --conf-dir where it is`],
      },
    ];
  const found = findings.find(({ id }) => id === noNetwork);
  if (found === undefined) return [];
  const others = findings.filter(({ id }) => id === notLoaded);
  return [
    {
      object: `file ${confDir}`,
      cause: found.message,
      meaning: noPod,
      evidence: [found, ...others].map(({ id, file, message }) => ({
        source: file,
        text: `${id} ${message}`,
      })),
      fix: [...new Set([...others, found].map(({ fix }) => fix))],
      follows: findings
        .filter(({ id, severity, file }) => severity === 'error' && id !== noNetwork && file !== confDir)
        .map(({ file }) => ({ id: 'D017', object: `file ${file}` })),
    },
  ];
}

import { Option } from 'commander';
import { type Diagnosis, examine } from '../doctor/examine.ts';
import { rules } from '../doctor/rules.ts';
import { Survey } from '../doctor/survey.ts';
import { fold } from '../findings/fold.ts';
import { findingsJson } from '../findings/json-report.ts';
import { findingsText } from '../findings/text-report.ts';
import { ExitStatus } from './failure.ts';
import { durationOption, type NetworkOptions, withNetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

interface DoctorOptions extends NetworkOptions {
  readonly network?: string;
  readonly format: 'text' | 'json';
  /** ms */
  readonly minAge: number;
}

export function doctorCommand() {
  return withNetworkOptions(
    verb('doctor', 'find what is wrong on this node, and say how to mend it', [
      ['doctor', 'everything: one line when all is well'],
      ['doctor --network mynet', 'what concerns one network'],
      ['doctor --format json | jq -r ".findings[].cause"', 'for another program'],
    ])
      .option('--network <name>', 'only of this network')
      .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
      .addOption(
        durationOption('--min-age <duration>', 'what is younger may be of a pod that just starts', '5m'),
      ),
  )
    .addHelpText(
      'after',
      '\nExit status: 0 sound, 1 something is wrong, 2 wrong usage, 3 nothing found, but not all could be looked at.\nEvery rule has a page: docs/rules/D001.md.',
    )
    .action(act(doctor));
}

async function doctor(options: DoctorOptions): Promise<number> {
  const survey = new Survey({ ...options, pluginPath: options.pluginDir, minAgeMs: options.minAge });
  const diagnosis = await withProgress('doctor', (progress) => {
    progress.show('looking at the node');
    return examine(survey);
  });
  if (options.json || options.format === 'json') sayJson(document(diagnosis));
  else say(text(diagnosis, survey));
  for (const line of diagnosis.unseen) note('doctor', `not looked at: ${line}`);
  if (diagnosis.findings.some(({ severity }) => severity !== 'info')) return ExitStatus.no;
  return diagnosis.unseen.length > 0 ? ExitStatus.unknown : 0;
}

function text({ findings, unseen }: Diagnosis, survey: Survey): string {
  if (findings.length > 0) return findingsText(fold(findings), paintFor());
  const [networks, attachments] = [survey.networks().length, survey.attachments().length];
  const scope = `${count(networks, 'network')}, ${count(attachments, 'attachment')}, ${count(rules.length, 'rule')}`;
  return `${scope}: ${unseen.length === 0 ? 'sound' : 'nothing found in what could be looked at'}\n`;
}

function document({ findings, unseen }: Diagnosis): object {
  return { findings: findingsJson(fold(findings)), unseen };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

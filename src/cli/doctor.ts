import { Option } from 'commander';
import { type Diagnosis, examine } from '../doctor/examine.ts';
import { rules } from '../doctor/rules.ts';
import { Survey } from '../doctor/survey.ts';
import { fold } from '../findings/fold.ts';
import { findingsJson } from '../findings/json-report.ts';
import { findingsText } from '../findings/text-report.ts';
import { visible } from '../trace/visible-text.ts';
import { ExitStatus, usageError } from './failure.ts';
import { durationOption, type NetworkOptions, withNetworkOptions } from './network-options.ts';
import { pluginFacts } from './plugin-facts.ts';
import { readersByType } from './plugin-readers.ts';
import { type Progress, withProgress } from './progress.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

export interface DoctorOptions extends NetworkOptions {
  readonly network?: string;
  readonly format: 'text' | 'json';
  /** ms */
  readonly minAge: number;
  readonly fix?: true;
  readonly dryRun?: true;
}

export function doctorCommand() {
  return withNetworkOptions(
    verb('doctor', 'find what is wrong on this node, and say how to mend it', [
      ['doctor', 'everything: one line when all is well'],
      ['doctor --network mynet', 'what concerns one network'],
      ['doctor --fix --dry-run', 'what could be mended without hurting a container that lives'],
      ['doctor --fix', 'mends it, and says what is left'],
      ['doctor --format json | jq -r ".findings[].cause"', 'for another program'],
    ])
      .option('--network <name>', 'only of this network')
      .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
      .option('--fix', 'mend what cannot hurt a container that lives')
      .option('--dry-run', 'with --fix: only show what it would change')
      .addOption(
        durationOption('--min-age <duration>', 'what is younger may be of a pod that just starts', '5m'),
      ),
  )
    .addHelpText(
      'after',
      '\nExit status: 0 sound, 1 something is wrong, 2 wrong usage, 3 nothing found, but not all could be looked at; with --fix,\nof what is left. Every rule has a page: docs/rules/D001.md.',
    )
    .action(act(doctor));
}

async function doctor(options: DoctorOptions): Promise<number> {
  if (options.dryRun && !options.fix) throw usageError('--dry-run is about --fix: say both');
  const examined = await withProgress('doctor', (progress) => examineNode(options, progress));
  if (options.fix) return (await import('./doctor-fix.ts')).fix(examined, options);
  if (isJson(options)) sayJson(documentOf(examined.diagnosis));
  else say(textOf(examined));
  sayUnseen(examined.diagnosis);
  return statusOf(examined.diagnosis);
}

/** The node as it was looked at, and what was found. */
export interface Examined {
  readonly survey: Survey;
  readonly diagnosis: Diagnosis;
}

export async function examineNode(options: DoctorOptions, progress: Progress): Promise<Examined> {
  progress.show('looking at the node');
  const { pluginDir: pluginPath, minAge: minAgeMs } = options;
  const survey = new Survey({ ...options, pluginPath, minAgeMs, readers: readersByType, facts: pluginFacts });
  return { survey, diagnosis: await examine(survey) };
}

export function isJson({ json, format }: DoctorOptions): boolean {
  return json === true || format === 'json';
}

export function sayUnseen({ unseen }: Diagnosis): void {
  for (const line of unseen) note('doctor', `not looked at: ${visible(line)}`);
}

export function statusOf({ findings, unseen }: Diagnosis): number {
  if (findings.some(({ severity }) => severity !== 'info')) return ExitStatus.no;
  return unseen.length > 0 ? ExitStatus.unknown : 0;
}

export function textOf({ survey, diagnosis: { findings, unseen } }: Examined): string {
  if (findings.length > 0) return findingsText(fold(findings), paintFor());
  const [networks, attachments] = [survey.networks().length, survey.attachments().length];
  const scope = `${count(networks, 'network')}, ${count(attachments, 'attachment')}, ${count(rules.length, 'rule')}`;
  return `${scope}: ${unseen.length === 0 ? 'sound' : 'nothing found in what could be looked at'}\n`;
}

export function documentOf({ findings, unseen }: Diagnosis) {
  return { findings: findingsJson(fold(findings)), unseen };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

import { type Diagnosis, examine } from '../doctor/examine.ts';
import { rules } from '../doctor/rules.ts';
import { Survey } from '../doctor/survey.ts';
import { fold } from '../findings/fold.ts';
import { findingsJson } from '../findings/json-report.ts';
import { findingsText } from '../findings/text-report.ts';
import { visible } from '../trace/visible-text.ts';
import { ExitStatus } from './failure.ts';
import type { PlaceOptions } from './network-options.ts';
import { pluginFacts } from './plugin-facts.ts';
import { readersByType } from './plugin-readers.ts';
import { note, paintFor } from './terminal.ts';

/** What is looked at, and how. */
export interface ExamineOptions extends PlaceOptions {
  readonly pluginDir: string;
  readonly network?: string;
  /** ms: what is younger may be of a pod that just starts. */
  readonly minAge: number;
}

/** The node as it was looked at, and what was found. */
export interface Examined {
  readonly survey: Survey;
  readonly diagnosis: Diagnosis;
}

export async function examineNode(options: ExamineOptions): Promise<Examined> {
  const { pluginDir: pluginPath, minAge: minAgeMs } = options;
  const survey = new Survey({ ...options, pluginPath, minAgeMs, readers: readersByType, facts: pluginFacts });
  return { survey, diagnosis: await examine(survey) };
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

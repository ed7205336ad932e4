import { type Mendable, type Mending, meansOf, mendAll, mendables } from '../doctor/fix.ts';
import { headline, recordMend } from '../doctor/mend-record.ts';
import { takeBackCalls } from '../doctor/mends/take-back.ts';
import { blindSpot } from '../node/blind-spot.ts';
import { visible } from '../trace/visible-text.ts';
import { endingSignal } from './ending.ts';
import { documentOf, type Examined, examineNode, sayUnseen, statusOf, textOf } from './examined.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { executionOf, type NetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';

export interface DoctorOptions extends NetworkOptions {
  readonly network?: string;
  readonly format: 'text' | 'json';
  /** ms */
  readonly minAge: number;
  readonly fix?: true;
  readonly dryRun?: true;
}

/** Shows what was found and what is to be changed, changes it unless it is a dry run, and looks again. The exit status. */
export async function fix(examined: Examined, options: DoctorOptions): Promise<number> {
  const { diagnosis } = examined;
  const reason = blindSpot();
  if (reason !== undefined) throw new CommandFailure(ExitStatus.unknown, `nothing is mended: ${reason}`);
  const all = [...takenBack(examined), ...mendables(diagnosis)];
  if (!isJson(options)) say(`${textOf(examined)}${differenceText(all, diagnosis.findings.length)}`);
  if (options.dryRun) {
    if (isJson(options)) sayJson({ ...documentOf(diagnosis), mends: all.map(planned) });
    sayUnseen(diagnosis);
    return all.length > 0 ? ExitStatus.no : statusOf(diagnosis);
  }
  return all.length === 0 ? nothingToMend(examined, options) : mend(all, examined, options);
}

/** What calls that were killed had begun is no finding of a rule: they say it themselves. */
function takenBack({ survey }: Examined): Mendable[] {
  const mend = takeBackCalls(survey);
  return mend === undefined ? [] : [{ finding: { id: 'D008', object: 'node' }, mend }];
}

function nothingToMend({ diagnosis }: Examined, options: DoctorOptions): number {
  if (isJson(options)) sayJson({ ...documentOf(diagnosis), mends: [], remaining: documentOf(diagnosis) });
  sayUnseen(diagnosis);
  return statusOf(diagnosis);
}

async function mend(
  all: readonly Mendable[],
  { survey, diagnosis }: Examined,
  options: DoctorOptions,
): Promise<number> {
  const mendings: Mending[] = [];
  await withProgress('doctor', async (progress) => {
    const means = meansOf(survey.settings, executionOf(options, progress));
    progress.show('mending');
    for await (const mending of mendAll(all, means, endingSignal())) {
      mendings.push(mending);
      const problem = recordMend(mending);
      if (problem !== undefined) progress.note(problem);
      if (!isJson(options)) say(mendingText(mending));
    }
  });
  endingSignal().throwIfAborted();
  const after = await withProgress('doctor', (progress) => {
    progress.show('looking again');
    return examineNode(options);
  });
  if (isJson(options))
    sayJson({
      ...documentOf(diagnosis),
      mends: mendings.map(mended),
      remaining: documentOf(after.diagnosis),
    });
  else say(`\n${textOf(after)}`);
  sayUnseen(after.diagnosis);
  const failures = mendings.filter(({ failure }) => failure !== undefined);
  for (const mending of failures) note('doctor', visible(headline(mending)));
  return failures.length > 0 ? ExitStatus.no : statusOf(after.diagnosis);
}

function differenceText(all: readonly Mendable[], found: number): string {
  const paint = paintFor();
  if (all.length === 0) return found === 0 ? '' : '\nnothing of this can be mended without a person\n';
  const blocks = all.map(({ finding, mend: { difference } }) => {
    const lines = difference.map((line) =>
      paint(line.startsWith('+') ? 'green' : 'red', `  ${visible(line)}`),
    );
    return [`${paint('bold', finding.id)} ${visible(finding.object)}`, ...lines].join('\n');
  });
  return `\nto be mended:\n${blocks.join('\n')}\n`;
}

function mendingText(mending: Mending): string {
  const left = mending.left.map((line) => `  left: ${visible(line)}`);
  return `${[visible(headline(mending)), ...left].join('\n')}\n`;
}

function planned({ finding: { id, object }, mend: { difference } }: Mendable): object {
  return { finding: id, object, difference };
}

function mended(mending: Mending): object {
  const { done, left, failure, startedAt, duration } = mending;
  return { ...planned(mending), startedAt: startedAt.toISOString(), duration, done, left, failure };
}

function isJson({ json, format }: DoctorOptions): boolean {
  return json === true || format === 'json';
}

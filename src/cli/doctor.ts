import { Option } from 'commander';
import type { DoctorOptions } from './doctor-fix.ts';
import { documentOf, type Examined, examineNode, sayUnseen, statusOf, textOf } from './examined.ts';
import { usageError } from './failure.ts';
import { durationOption, withNetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

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
  const examined = await withProgress('doctor', (progress) => {
    progress.show('looking at the node');
    return examineNode(options);
  });
  refuseUnknown(options, examined);
  if (options.fix) return (await import('./doctor-fix.ts')).fix(examined, options);
  if (options.json || options.format === 'json') sayJson(documentOf(examined.diagnosis));
  else say(textOf(examined));
  sayUnseen(examined.diagnosis);
  return statusOf(examined.diagnosis);
}

/** A name that is misspelled is not sound. Not where it might be of something that could not be looked at. */
function refuseUnknown({ network, confDir }: DoctorOptions, { survey, diagnosis }: Examined): void {
  if (network === undefined || diagnosis.findings.length > 0 || diagnosis.unseen.length > 0) return;
  if (survey.networks().length > 0 || survey.attachments().length > 0) return;
  const names = new Set(survey.everyNetwork().map(({ name }) => JSON.stringify(name)));
  const known = names.size === 0 ? 'there is none' : `there are: ${[...names].join(', ')}`;
  throw usageError(
    `no network ${JSON.stringify(network)} in ${confDir}, nor of an attachment of this node; ${known}`,
  );
}

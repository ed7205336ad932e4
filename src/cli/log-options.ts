import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RecordQuery } from '../trace/record-search.ts';
import { patternArgument } from './log-pattern.ts';
import { type LogFormat, logFormats } from './log-view.ts';
import { withConfDir } from './network-options.ts';
import { durationArgument, timeArgument } from './time-argument.ts';

/** What `logs` may be told. */
export interface LogsOptions {
  readonly confDir: string;
  readonly follow?: true;
  readonly container?: string;
  readonly pod?: string;
  readonly network?: string;
  readonly command?: string;
  readonly failed?: true;
  readonly slower?: number;
  readonly since?: Date;
  readonly until?: Date;
  readonly tail?: number;
  readonly reverse?: true;
  readonly grep?: RegExp;
  readonly format: LogFormat;
  readonly steps?: true;
  readonly utc?: true;
}

export function withLogOptions(command: Command): Command {
  return withConfDir(
    command
      .option('-f, --follow', 'go on with what is written from now on')
      .option('--container <id>', 'of containers whose ID begins so')
      .option('--pod <ns/name>', 'of a pod, with or without its namespace')
      .option('--network <name>', 'of one network')
      .addOption(new Option('--command <command>', 'ADD, DEL, CHECK, GC or STATUS').argParser(upperCase))
      .option('--failed', 'calls that ended in an error, or never')
      .addOption(
        new Option('--slower <duration>', 'calls that took longer: 500ms').argParser(durationArgument),
      )
      .addOption(
        new Option('--since <time>', 'not over by then: 10m, 12:00, "2026-11-28 12:00"').argParser((text) =>
          timeArgument(text),
        ),
      )
      .addOption(new Option('--until <time>', 'begun by then').argParser((text) => timeArgument(text)))
      .addOption(
        new Option('-n, --tail <count>', 'only so many, the newest; with -f 10, else all').argParser(count),
      )
      .option('-r, --reverse', 'newest first')
      .addOption(
        new Option('-g, --grep <pattern>', 'whose message, error, findings or addresses match').argParser(
          patternArgument,
        ),
      )
      .addOption(new Option('--format <format>', 'how they are shown').choices(logFormats).default('pretty'))
      .option('--steps', 'with pretty: what each call did')
      .option('--utc', 'with pretty: times in UTC'),
  );
}

/** What is looked for; `about` is the word that is no option. */
export function queryOf(options: LogsOptions, about: string | undefined): RecordQuery {
  const { container, pod, network, command, failed, slower: slowerMs, since, until, grep: pattern } = options;
  return {
    container,
    pod: pod === undefined ? undefined : podIn(pod),
    network,
    command,
    about,
    pattern,
    failed,
    slowerMs,
    since,
    until,
  };
}

function podIn(text: string): NonNullable<RecordQuery['pod']> {
  const [name = '', namespace] = text.split('/').reverse();
  return { namespace, name };
}

function upperCase(text: string): string {
  const command = text.toUpperCase();
  if (['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].includes(command)) return command;
  throw new InvalidArgumentError('A command is ADD, DEL, CHECK, GC or STATUS.');
}

function count(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A count is a whole number.');
}

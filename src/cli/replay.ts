import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Json, parseJson } from '../cni/json.ts';
import type { Amendment } from '../replay/recorded-input.ts';
import type { ReplayOrder } from '../replay/replay.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { endedBy, endingSignal } from './ending.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { statusOfSignal } from './foreground.ts';
import { type NamedRecord, namedRecord, type RecordPlaces } from './named-record.ts';
import { withConfDir } from './network-options.ts';
import { withProgress } from './progress.ts';
import { durationArgument } from './time-argument.ts';
import { act, verb } from './verb.ts';

interface ReplayOptions extends RecordPlaces {
  readonly pluginDir?: string;
  readonly timeout: number;
  readonly set: ReadonlyMap<string, Json>;
  readonly leaveOut?: true;
  readonly diff?: true;
  readonly format: 'text' | 'json';
}

export function replayCommand(): Command {
  return withConfDir(
    verb('replay', 'make a recorded call again on a scratch node, and say how it differs', [
      ['replay bfed4b2855f40adb', 'the record that an error names'],
      ['replay --diff last', 'with the difference of what was answered'],
      ['replay ./record.json --leave-out', 'a record from another node, without what was redacted in it'],
      ['replay bfed4b2855f40adb --set configuration.delegate.token=abc', 'with what was redacted in it'],
    ])
      .argument(
        '<record>',
        'the ID of a record, last, a file with a slash in its path, or a container or pod',
      )
      .option(
        '--journal <file>',
        'a journal to look at instead of those of --conf-dir; may be repeated',
        more,
      )
      .option('--plugin-dir <folders>', 'where plugins are, with ":" between several; else as recorded')
      .addOption(
        new Option('--timeout <duration>', 'how long each call may take')
          .default(120_000, '2m')
          .argParser(durationArgument),
      )
      .option(
        '--set <path=value>',
        'what a redacted value was: text, or JSON in brackets; may be repeated',
        setting,
        new Map(),
      )
      .option('--leave-out', 'leave out what was redacted and is not --set')
      .option('--diff', 'show how the answers differ, but for what must')
      .addOption(new Option('--format <format>', 'how it is shown').choices(['text', 'json']).default('text'))
      .addHelpText(
        'after',
        '\nWhat the record says is run as root, its hooks and what it finds in its CNI_PATH, too: a mistake cannot reach the\nnode, but malice can. Replay only the records of those whom you trust.',
      ),
  ).action(act(replayed));
}

/** Status 0 for the same outcome, 1 for another, 3 where it could not be made again. */
async function replayed(word: string, options: ReplayOptions): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new CommandFailure(ExitStatus.unknown, 'makes namespaces, so it must be run as root');
  const named = namedRecord(word, options);
  const [{ ReplayRefusal }, { replay }, { replayDocument, replayText }] = await Promise.all([
    import('../replay/refusal.ts'),
    import('../replay/replay.ts'),
    import('./replay-report.ts'),
  ]);
  const { say, sayJson } = await import('./terminal.ts');
  try {
    const order = await orderOf(named, options);
    const outcome = await withProgress('replay', (progress) =>
      replay({ ...order, onCall: (command) => progress.show(`${command} of "${named.record.plugin}"`) }),
    );
    if (options.format === 'json') sayJson(replayDocument(named.record, outcome));
    else say(replayText(named.record, outcome, options.diff === true));
    return outcome.isSame ? 0 : ExitStatus.no;
  } catch (error) {
    const signal = endedBy();
    if (signal !== undefined) return statusOfSignal(signal);
    if (error instanceof ReplayRefusal)
      throw new CommandFailure(ExitStatus.unknown, error.message, error.advice);
    throw error;
  }
}

/** Before anything of this machine is left behind: all that is read of it. */
async function orderOf(
  { record, records }: NamedRecord,
  { set: values, leaveOut, pluginDir: cniPath, timeout: timeoutMs }: ReplayOptions,
): Promise<Omit<ReplayOrder, 'onCall'>> {
  const { recordedInput } = await import('../replay/recorded-input.ts');
  const amendment: Amendment = { values, leaveOut: leaveOut === true };
  const before = addBefore(record, records);
  const added = before && { record: before, input: recordedInput(before, amendment) };
  return {
    record,
    input: recordedInput(record, amendment),
    added,
    cniPath,
    timeoutMs,
    signal: endingSignal(),
  };
}

/** The last ADD that succeeded, of the same plugin at the same place in the chain. */
function addBefore(record: StoredRecord, records: readonly StoredRecord[]): StoredRecord | undefined {
  if (record.command !== 'DEL' && record.command !== 'CHECK') return undefined;
  const configuration = (one: StoredRecord) => JSON.stringify(one.document.configuration);
  const isBefore = (one: StoredRecord) =>
    one.kind === 'call' &&
    one.command === 'ADD' &&
    one.error === undefined &&
    one.startedAt <= record.startedAt &&
    one.plugin === record.plugin;
  const adds = records.filter(isBefore);
  return adds.findLast((one) => configuration(one) === configuration(record)) ?? adds.at(-1);
}

function setting(text: string, others: ReadonlyMap<string, Json>): ReadonlyMap<string, Json> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('It is no path and value, as configuration.token=abc.');
  const value = text.slice(equals + 1);
  return new Map([...others, [text.slice(0, equals), /^[[{]/.test(value) ? document(value) : value]]);
}

function document(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw new InvalidArgumentError(
      `It begins as JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function more(path: string, others: readonly string[] = []): readonly string[] {
  return [...others, path];
}

import { type Command, InvalidArgumentError } from 'commander';
import { stringifyJson } from '../cni/json.ts';
import { journalsOf } from '../node/journals.ts';
import { knownNetworks } from '../node/known-networks.ts';
import { isThere, newestRecords } from '../node/newest-records.ts';
import { CallSummary } from '../trace/call-summary.ts';
import { KeptLines } from '../trace/kept-lines.ts';
import { type Life, livesOf, type Operation } from '../trace/life.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { visible } from '../trace/visible-text.ts';
import { type FoundAttachments, findAttachments } from './attachment-records.ts';
import { type DrawOptions, drawLives } from './draw-lives.ts';
import { CommandFailure, ExitStatus, usageError } from './failure.ts';
import { lifeDocument } from './life-document.ts';
import { type PlaceOptions, withPlaceOptions } from './network-options.ts';
import { writePage } from './page-file.ts';
import { type Progress, withProgress } from './progress.ts';
import { summaryTable } from './summary-table.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

interface TraceOptions extends PlaceOptions, DrawOptions {
  readonly summary?: true;
  readonly journal?: readonly string[];
  readonly html?: string;
  readonly tail: number;
}

export function traceCommand(): Command {
  return withPlaceOptions(
    verb('trace', "show where the time of an attachment's calls went, step by step", [
      ['trace', 'the attachment that was worked on last'],
      ['trace default/nginx', 'a pod, every interface of it'],
      ['trace 3f2a0c', 'a container, by the beginning of its ID'],
      ['trace bfed4b2855f40adb', 'the record that an error names'],
      [
        'trace --html page.html default/nginx',
        'the same as a page for a browser, to look closer or to hand on',
      ],
      ['trace --html page.html all', 'every attachment of which there are records'],
      ['trace --summary', 'how often each plugin was called, how often it failed, how long it took'],
    ])
      .argument('[attachment]', 'a container ID, pod, record ID, last, or all', 'last')
      .option('--html <file>', 'write one self-contained page with the records in it; - is stdout')
      .option('--summary', 'count the calls; of all attachments where none is named')
      .option(
        '--journal <file>',
        'a journal to look at instead of those of --conf-dir; may be repeated',
        more,
      )
      .option('--all', 'every step, also of operations with more than 100')
      .option('-n, --tail <number>', 'only so many operations of each attachment, the last ones', count, 20)
      .option('--width <columns>', "columns to draw in; else the terminal's, or $COLUMNS, or 80", count),
  ).action(act(trace));
}

function trace(word: string, options: TraceOptions, { args }: Command): Promise<number> {
  return withProgress('trace', (progress) => traced(word, options, args, progress));
}

async function traced(
  word: string,
  options: TraceOptions,
  args: readonly string[],
  progress: Progress,
): Promise<number> {
  const lists = knownNetworks(options);
  const journals = options.journal ?? [
    ...new Set([...lists.flatMap(journalsOf), ...journalsOf({ plugins: [] })]),
  ];
  if (options.html !== undefined && (options.json || options.summary))
    throw usageError('--html goes with neither --json nor --summary');
  const lines = options.html === undefined ? undefined : new KeptLines();
  const read = () => ticking(newestRecords(journals, lines && ((line) => lines.parse(line))), progress);
  if (options.summary && args.length === 0) return summarize(read(), journals, options);
  const found = findAttachments(word, read);
  if (found === undefined) throw nothingOf(word, journals);
  if (options.summary) return summarize([...found.records].reverse(), journals, options);
  const chainsOf = (network: string) =>
    lists.filter(({ name }) => name === network).map(({ plugins }) => plugins);
  const records = lines === undefined ? found.records : found.records.map((record) => lines.exact(record));
  const lives = livesOf(records, chainsOf).map((life) => ({
    life,
    operations: shownOf(life, found, options),
  }));
  if (options.html !== undefined && lines !== undefined) {
    const named = word === 'last' ? undefined : found.named;
    await writePage(options.html, lives, { records, lines, named });
  } else if (options.json) {
    const documents = lives.map(({ life, operations }) => lifeDocument(life, operations));
    say(`${stringifyJson(documents, '    ')}\n`);
  } else {
    drawLives(lives, options);
  }
  if (found.others.length > 0) {
    const others = found.others.slice(0, 5).map(visible).join(', ');
    note('trace', `the newest of several that this may mean; others are ${others}`);
  }
  if (found.isCut) note('trace', `only the last ${found.records.length} records were looked at`);
  return 0;
}

function* ticking(records: Iterable<StoredRecord>, progress: Progress): Generator<StoredRecord> {
  try {
    for (const record of records) {
      progress.tick('reading the journals');
      yield record;
    }
  } finally {
    progress.stop();
  }
}

/** The last ones; where a record was named, those from its own on. */
function shownOf(
  { operations }: Life,
  { named }: FoundAttachments,
  { tail }: TraceOptions,
): readonly Operation[] {
  const isNamed = ({ children }: Operation) => children.some(({ record }) => record?.id === named?.id);
  const own = named === undefined ? -1 : operations.findIndex(isNamed);
  const first = Math.max(0, operations.length - tail);
  const start = own < 0 ? first : Math.min(own, first);
  return operations.slice(start, start + tail);
}

function summarize(
  newestFirst: Iterable<StoredRecord>,
  journals: readonly string[],
  { json }: TraceOptions,
): number {
  const summary = new CallSummary();
  summary.addAll(newestFirst);
  const rows = summary.rows();
  if (rows.length === 0) throw nothingOf('last', journals);
  if (json) sayJson(rows);
  else say(summaryTable(rows, paintFor()));
  return 0;
}

function nothingOf(word: string, journals: readonly string[]): CommandFailure {
  const places = journals.join(', ');
  if (!journals.some(isThere))
    return new CommandFailure(ExitStatus.unknown, `there is no journal: ${places}`, [
      'a plugin "debug" in a chain keeps one: cni-debug install --into FILE',
    ]);
  const what =
    word === 'last' || word === 'all'
      ? 'no record'
      : `no record of a container, pod or record ${JSON.stringify(word)}`;
  return new CommandFailure(ExitStatus.no, `${what} in ${places}`, ['cni-debug list shows what there is']);
}

function more(path: string, others: readonly string[] = []): readonly string[] {
  if (!isThere(path)) throw usageError(`${path}: there is no such file`);
  return [...others, path];
}

function count(text: string): number {
  const number = Number(text);
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('It is not a whole number above zero.');
  return number;
}

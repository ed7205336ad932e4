import type { Command } from 'commander';
import { FoundRecords, newNotes, type ReadingNotes } from '../trace/found-records.ts';
import { closeFiles, wholeLinesOf } from '../trace/journal-files.ts';
import { readJournals } from '../trace/read-journals.ts';
import { RecordSearch } from '../trace/record-search.ts';
import { endedBy, endingSignal } from './ending.ts';
import { CommandFailure, ExitStatus, usageError } from './failure.ts';
import { statusOfSignal } from './foreground.ts';
import { followJournals } from './log-follow.ts';
import { type LogsOptions, queryOf, withLogOptions } from './log-options.ts';
import { type LogSource, logSources } from './log-sources.ts';
import { type LogView, logView } from './log-view.ts';
import { logWords } from './log-words.ts';
import { withProgress } from './progress.ts';
import { note, say } from './terminal.ts';
import { act, verb } from './verb.ts';

export function logsCommand(): Command {
  return withLogOptions(
    verb('logs', 'show the calls that "debug" has recorded', [
      ['logs -f', 'the last ten calls, and every one that comes, through rotation'],
      ['logs default/nginx', 'of one pod; also of a container ID, an address, a namespace'],
      ['logs --failed --since 1h', 'what went wrong, or never ended'],
      ['logs --slower 500ms --steps', 'what took long, and what took long in it'],
      ['logs -n 20 -g "no such" journal.ndjson', 'the last twenty that say so, of a file brought here'],
      ["logs --format json --container 3f2a | jq '.steps'", 'the records themselves'],
    ])
      .usage('[options] [POD|ID|IP|NETNS] [FILE...]')
      .argument(
        '[word...]',
        'the beginning of a pod, container ID or namespace, an address, or the ID of a record; and journals: else those of this node, "-" is stdin',
      ),
  ).action(act(logs));
}

/** 0 when there was something, and after following until Ctrl-C. */
async function logs(words: readonly string[], options: LogsOptions): Promise<number> {
  const { about, files: named } = logWords(words);
  const { follow = false, reverse = false } = options;
  if (follow && reverse)
    throw usageError('--follow goes on with the newest, which --reverse shows first: take one of them');
  const { sources, refused, missing } = logSources(named, options.confDir);
  if (reverse && sources.some(({ files }) => files.some(({ isPipe }) => isPipe)))
    throw usageError('a pipe cannot be read from its end, as --reverse does: name a file');
  const search = new RecordSearch(queryOf(options, about));
  const notes = newNotes();
  notes.problems.push(...refused);
  if (!follow)
    notes.problems.push(
      ...missing.map((path) => `open ${JSON.stringify(path)}: No such file or directory (ENOENT)`),
    );
  // What may not be read now will not be read later, either.
  const isRefused = refused.length > 0 && sources.every(({ files }) => files.length === 0);
  const shown = await withProgress('logs', async (progress) => {
    notes.onRead = () => progress.tick('searching the journals');
    // What is shown says enough.
    return isRefused ? 0 : await show(sources, search, notes, options, () => progress.stop());
  });
  return conclude(shown, notes, sources, follow);
}

async function show(
  sources: readonly LogSource[],
  search: RecordSearch,
  notes: ReadingNotes,
  options: LogsOptions,
  onShow: () => void,
): Promise<number> {
  const { follow = false, reverse, format } = options;
  const view = logView(options);
  const everyBegin = format === 'json' && !search.asksForEnding;
  const journals = sources.map(({ path, files }) => ({ path, files: follow ? wholeLinesOf(files) : files }));
  const signal = follow ? endingSignal() : undefined;
  const found = journals.map(({ files }) => new FoundRecords(files, search, notes, everyBegin));
  let shown = 0;
  try {
    const tail = options.tail ?? (follow ? followTail : undefined);
    for await (const one of readJournals(found, { tail, reverse })) {
      onShow();
      say(view(one));
      shown += 1;
      if (signal !== undefined && (await hasEnded(signal, shown))) break;
    }
    onShow();
    if (signal !== undefined && !signal.aborted)
      shown += await showNew(journals, search, notes, { signal, everyBegin, view });
  } finally {
    closeFiles(journals.flatMap(({ files }) => files));
  }
  return shown;
}

/** As `tail -f` begins. */
const followTail = 10;

async function showNew(
  journals: readonly LogSource[],
  search: RecordSearch,
  notes: ReadingNotes,
  { signal, everyBegin, view }: { signal: AbortSignal; everyBegin: boolean; view: LogView },
): Promise<number> {
  let shown = 0;
  const told = new Set(notes.problems);
  const warn = (message: string) => {
    if (!told.has(message)) note('logs', message);
    told.add(message);
  };
  for (const problem of told) note('logs', problem);
  notes.problems.length = 0;
  const followed = journals.filter(({ path, files }) => {
    const current = files.at(-1);
    return path !== '-' && !current?.isPipe && (current?.path !== path || current.compression === undefined);
  });
  if (followed.length === 0) return shown;
  for await (const one of followJournals(followed, search, notes, { signal, everyBegin, warn })) {
    say(view(one));
    shown += 1;
  }
  return shown;
}

/** What has not been followed yet can be long, and signals are only heard where nothing else is done. */
async function hasEnded(signal: AbortSignal, shown: number): Promise<boolean> {
  if (shown % 256 === 0) await new Promise(setImmediate);
  return signal.aborted;
}

/** Says what there was to say of the reading itself. The exit status. */
function conclude(
  shown: number,
  notes: ReadingNotes,
  sources: readonly LogSource[],
  follow: boolean,
): number {
  const { damaged, unknown, problems } = notes;
  if (damaged > 0)
    note('logs', `${damaged === 1 ? '1 line was' : `${damaged} lines were`} damaged and skipped`);
  if (unknown > 0)
    note(
      'logs',
      `${unknown === 1 ? '1 line is' : `${unknown} lines are`} no record that this version knows, and skipped`,
    );
  if (problems.length > 0) {
    throw new CommandFailure(ExitStatus.unknown, problems.join('\n  '), adviceFor(problems));
  }
  const signal = endedBy();
  if (follow && signal !== undefined) return signal === 'SIGINT' ? 0 : statusOfSignal(signal);
  if (shown > 0) return 0;
  const isAnywhere = sources.some(({ files }) => files.length > 0);
  if (isAnywhere) note('logs', 'no record is so');
  else
    note(
      'logs',
      `there is no journal (${sources.map(({ path }) => path).join(', ')}): "debug" makes one when it is called`,
    );
  return ExitStatus.no;
}

function adviceFor(problems: readonly string[]): string[] {
  return problems.some((problem) => problem.includes('(EACCES)'))
    ? ['a journal is for root alone: sudo cni-debug logs']
    : [];
}

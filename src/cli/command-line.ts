import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { CniError } from '../cni/error.ts';
import { newObject, stringifyJson } from '../cni/json.ts';
import { visibleLines } from '../trace/visible-text.ts';
import { chainFailure } from './chain-failure.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { paintFor, say } from './terminal.ts';

type Verbs = Readonly<Record<string, () => Promise<Command>>>;

/** One file each, loaded when it is named; all of them when there is none to go by. */
const verbs: Verbs = {
  add: async () => (await import('./add.ts')).addCommand(),
  del: async () => (await import('./del.ts')).delCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  gc: async () => (await import('./gc.ts')).gcCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  exec: async () => (await import('./exec.ts')).execCommand(),
  attach: async () => (await import('./attach.ts')).attachCommand(),
  detach: async () => (await import('./detach.ts')).detachCommand(),
  list: async () => (await import('./list.ts')).listCommand(),
  logs: async () => (await import('./logs.ts')).logsCommand(),
  trace: async () => (await import('./trace.ts')).traceCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  probe: async () => (await import('./probe.ts')).probeCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  bundle: async () => (await import('./bundle.ts')).bundleCommand(),
  install: async () => (await import('./install.ts')).installCommand(),
  uninstall: async () => (await import('./uninstall.ts')).uninstallCommand(),
  lint: async () => (await import('./lint.ts')).lintCommand(),
  completion: async () => (await import('./completion.ts')).completionCommand(),
};

/** For programs. */
const hiddenVerbs: Verbs = {
  complete: async () => (await import('./completion.ts')).completeCommand(),
};

/** Runs one verb. Resolves to the exit status: see `ExitStatus`. */
export async function commandLine(words: readonly string[]): Promise<number> {
  const program = await programFor(words);
  try {
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : ExitStatus.usage;
    return report(words, thrown);
  }
}

/** The whole program, as its help and the shells' completion see it. */
export async function programFor(words: readonly string[]): Promise<Command> {
  const program = new Command('cni-debug')
    .description(
      'Makes the plugins of a CNI chain visible: runs chains, puts the debug plugin into them, and says why a network does not work.',
    )
    .version(version, '--version')
    .helpOption('-h, --help')
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError()
    .showHelpAfterError('(cni-debug --help, or a verb with --help, shows what there is)')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 the answer is no, 2 wrong usage, 3 it could not be looked at.\nAs a plugin it is called "debug": see plugins/debug/README.md for its keys.',
    )
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'cni-debug:')) })
    .exitOverride();
  const [named = ''] = words;
  const known = { ...verbs, ...hiddenVerbs };
  const needed = Object.entries(known).filter(([name]) => name === named);
  const loads = needed.length > 0 ? needed : Object.entries(verbs);
  for (const command of await Promise.all(loads.map(([, load]) => load())))
    program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** What a verb ended with, on stderr; where JSON is wanted, on stdout. The exit status. */
function report(words: readonly string[], thrown: unknown): number {
  const failure = failureOf(thrown);
  if (words.includes('--json')) {
    const error = newObject(Object.entries({ msg: failure.message }));
    say(`${stringifyJson(failure.document ?? error, '    ')}\n`);
  } else {
    const paint = paintFor(process.stderr);
    const lines = [
      // What a plugin says is in it, and what stands in files.
      `${paint('red', `cni-debug ${words[0]}:`)} ${visibleLines(failure.message)}`,
      ...failure.advice.map((next) => `  ${visibleLines(next)}`),
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
  }
  return failure.status;
}

function failureOf(thrown: unknown): CommandFailure {
  if (thrown instanceof CommandFailure) return thrown;
  if (thrown instanceof CniError) return chainFailure(thrown);
  return new CommandFailure(ExitStatus.unknown, thrown instanceof Error ? thrown.message : String(thrown));
}

import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { CniError } from '../cni/error.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { paintFor } from './terminal.ts';

/** One file each, loaded when it is named; all of them when there is none to go by. */
const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand(),
  install: async () => (await import('./install.ts')).installCommand(),
  uninstall: async () => (await import('./uninstall.ts')).uninstallCommand(),
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
    return report(words[0] ?? '', thrown);
  }
}

/** The whole program, as its help and the shells' completion see it. */
export async function programFor(words: readonly string[]): Promise<Command> {
  const program = new Command('cni-debug')
    .description(
      'Makes the plugins of a CNI chain visible: runs chains, and puts the debug plugin into them.',
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
  const needed = Object.hasOwn(verbs, named) ? [named] : Object.keys(verbs);
  for (const command of await Promise.all(needed.map((name) => verbs[name]?.())))
    if (command !== undefined) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** What a verb ended with, on stderr; the exit status. */
function report(verb: string, thrown: unknown): number {
  const paint = paintFor(process.stderr);
  const line = (text: string) => process.stderr.write(`${text}\n`);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  line(`${paint('red', `cni-debug ${verb}:`)} ${message}`);
  if (thrown instanceof CniError && thrown.details !== '') line(`  ${thrown.details}`);
  if (thrown instanceof CommandFailure) for (const next of thrown.advice) line(`  ${next}`);
  if (thrown instanceof CommandFailure) return thrown.status;
  return thrown instanceof CniError ? ExitStatus.no : ExitStatus.unknown;
}

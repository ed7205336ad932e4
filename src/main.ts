import { version } from '../package.json';
import { builtIns } from '../plugins/by-name.ts';
import type { Clock, Plugin } from './cni/plugin.ts';
import { run } from './cni/skel.ts';
import { processIo } from './process-io.ts';

/** A plugin as the process has it that was started under its name, or under one that nobody knows. */
async function load(type: string, clock: Clock): Promise<Plugin> {
  const builtIn = Object.hasOwn(builtIns, type) ? builtIns[type] : undefined;
  if (builtIn === undefined) return (await import('../plugins/debug/plugin.ts')).debugPlugin(clock, builtIns);
  const { Ruleset } = await import('./network/ruleset.ts');
  const warn = (_: string, __: string, message: string) => processIo.writeStderr(`${type}: ${message}\n`);
  return builtIn({ clock, step: (_, operation) => operation(), warn, ruleset: new Ruleset(), builtIns });
}

/** `cni-debug` is the command line, except where a runtime calls it; a name we do not know is `debug`. */
async function main(): Promise<number> {
  const name = startedAs();
  if (name.startsWith('cni-debug') && !process.env.CNI_COMMAND) {
    const { commandLine } = await import('./cli/command-line.ts');
    return commandLine(process.argv.slice(2));
  }
  const type = Object.hasOwn(builtIns, name) ? name : 'debug';
  return run(`CNI plugin ${type} (cni-debug ${version})`, (clock) => load(type, clock), processIo);
}

/** The compiled executable has its name in argv0, also behind a link; a script has it in argv[1]. */
function startedAs(): string {
  const script = process.argv[1] ?? '';
  const path = script.startsWith('/$bunfs/') ? process.argv0 : script;
  return path.slice(path.lastIndexOf('/') + 1);
}

main().then(
  (status) => process.exit(status),
  (error) => {
    processIo.writeStderr(`cni-debug: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(3);
  },
);

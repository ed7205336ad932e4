import { version } from '../package.json';
import type { Clock, Plugin } from './cni/plugin.ts';
import { run } from './cni/skel.ts';
import { processIo } from './process-io.ts';

/** What we answer to, besides `cni-debug`: a plugin each, loaded when it is called. */
const plugins: Readonly<Record<string, (clock: Clock) => Promise<Plugin>>> = {
  debug: async (clock) => (await import('../plugins/debug/plugin.ts')).debugPlugin(clock),
};

/** `cni-debug` is the command line, except where a runtime calls it; a name we do not know is `debug`. */
async function main(): Promise<number> {
  const name = startedAs();
  if (name.startsWith('cni-debug') && !process.env.CNI_COMMAND) {
    const { commandLine } = await import('./cli/command-line.ts');
    return commandLine(process.argv.slice(2));
  }
  const type = Object.hasOwn(plugins, name) ? name : 'debug';
  const load = plugins[type] as (clock: Clock) => Promise<Plugin>;
  return run(`CNI plugin ${type} (cni-debug ${version})`, load, processIo);
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

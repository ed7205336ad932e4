import { builtIns } from '../../plugins/by-name.ts';
import type { Place } from '../installation/conflist-edit.ts';
import type { Report } from '../installation/deed.ts';
import { conflistFolder, findConflist } from '../installation/find-conflist.ts';
import { type InstallOrder, install } from '../installation/install.ts';
import { nameComplaint } from '../installation/plugin-names.ts';
import { thisProgram } from '../installation/this-executable.ts';
import { endingSignal } from './ending.ts';
import { usageError } from './failure.ts';
import { orFailure, sayReport } from './installation-report.ts';
import { act, verb } from './verb.ts';

/** Not $CNI_PATH: uninstall must find it again, perhaps from another shell. */
export const defaultPluginDir = '/opt/cni/bin';

interface Options {
  readonly pluginDir: string;
  readonly names: string;
  readonly into?: string;
  readonly after?: string;
  readonly wrap?: true | string[];
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function installCommand() {
  return verb('install', 'put the plugins into a node, and debug into a chain', [
    ['install', `the executable, and "debug" as a link to it, in ${defaultPluginDir}`],
    ['install --into cbr0 --dry-run', 'show what would become of the chain of network "cbr0"'],
    ['install --into cbr0', 'behind its first plugin'],
    ['install --into cbr0 --after portmap', 'behind another one'],
    ['install --into cbr0 --wrap portmap', 'around a suspect'],
    ['install --names all', 'all the plugins that are built in, too'],
  ])
    .option('--plugin-dir <dir>', 'where the runtime looks for plugins', defaultPluginDir)
    .option('--names <names>', '"debug", "all", or names with commas between them', 'debug')
    .option('--into <conflist>', 'put debug into a chain: a path, or the name of a file or network')
    .option('--after <type>', 'behind the first plugin of this type')
    .option('--wrap [type...]', 'run the plugins of these types, or all, by debug')
    .option('--dry-run', 'only show what would be done')
    .option('--force', 'replace what is not ours, and keep it aside')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `\nA conflist that is named by the name of its file or network is looked up in $NETCONFPATH, else /etc/cni/net.d.
Under a name that is not built in, the plugin is debug: the first such name is put into the chain.
Twice changes nothing; "cni-debug uninstall" makes everything what it was before.`,
    )
    .action(act(run));
}

async function run(options: Options): Promise<number> {
  const { pluginDir, force = false, dryRun = false, json = false } = options;
  const names = namesOf(options.names);
  const place = placeOf(options);
  const signal = endingSignal();
  const report = await orFailure('install', async () => {
    const into = options.into === undefined ? undefined : { type: debugName(names), place };
    const order: InstallOrder = {
      program: await thisProgram(),
      folder: pluginDir,
      names,
      into: into && { ...into, path: findConflist(options.into ?? '', conflistFolder()) },
      force,
      dryRun,
      signal,
      warn: (message) => process.stderr.write(`cni-debug install: ${message}\n`),
    };
    return install(order);
  });
  sayReport(report, {
    json,
    dryRun,
    nothing: 'Nothing to do: everything is in its place.',
    next: nextSteps(report, options),
  });
  return 0;
}

function nextSteps({ files, conflists }: Report, { pluginDir }: Options): string[] {
  if (conflists.length > 0)
    return [
      'containerd and CRI-O notice the conflist by themselves. Start a pod, and read its calls:',
      '    tail -F /tmp/cni_output.log',
    ];
  if (!files.some(({ action }) => action === 'linked')) return [];
  const folder = pluginDir === defaultPluginDir ? '' : ` --plugin-dir ${pluginDir}`;
  return ['To put debug into the chain of a network:', `    cni-debug install${folder} --into NETWORK`];
}

function namesOf(words: string): string[] {
  if (words === 'all') return ['debug', ...Object.keys(builtIns)];
  const names = [...new Set(words.split(',').map((name) => name.trim()))];
  for (const name of names) {
    const complaint = nameComplaint(name);
    if (complaint !== undefined) throw usageError(`--names: ${JSON.stringify(name)} ${complaint}`);
  }
  return names;
}

function placeOf({ into, after, wrap }: Options): Place {
  if (into === undefined && (after !== undefined || wrap !== undefined))
    throw usageError(`${after === undefined ? '--wrap' : '--after'} needs --into, the conflist to change`);
  if (after !== undefined && wrap !== undefined)
    throw usageError('--after and --wrap exclude each other: debug is put behind a plugin, or around it');
  if (wrap === undefined) return { kind: 'insert', after };
  const types = (wrap === true ? [] : wrap).flatMap((words) => words.split(','));
  return { kind: 'wrap', types };
}

/** What a chain calls us by. */
function debugName(names: readonly string[]): string {
  const name = names.find((each) => !Object.hasOwn(builtIns, each));
  if (name !== undefined) return name;
  throw usageError(`--into needs a name of debug, and --names has none: ${names.join(', ')}`);
}

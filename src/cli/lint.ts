import { Option } from 'commander';
import { SystemError } from '../kernel/system-error.ts';
import { LintContext, type Machine } from '../lint/context.ts';
import { type Read, readTarget } from '../lint/directory.ts';
import { typesIn } from '../lint/executable-use.ts';
import { type HostNetwork, readHostNetwork } from '../lint/host-network.ts';
import { jsonReport } from '../lint/json-report.ts';
import { lint } from '../lint/lint.ts';
import { pluginsOf } from '../lint/linted-plugin.ts';
import { surveyPlugins } from '../lint/plugin-survey.ts';
import { textReport } from '../lint/text-report.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { readersByType } from './plugin-readers.ts';
import { withProgress } from './progress.ts';
import { paintFor, say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

const defaultDirectory = '/etc/cni/net.d';
const defaultPluginPath = '/opt/cni/bin';

export function lintCommand() {
  return verb('lint', 'find what is wrong with network configurations, and say how to mend it', [
    ['lint', 'all that a runtime loads on this node, and what it runs'],
    ['lint 10-mynet.conflist --files-only', 'one file, on a machine that is not the node'],
    ['lint /etc/cni/net.d --plugin-dir /usr/lib/cni', 'the executables lie elsewhere'],
    ['lint --format json | jq -r ".[].message"', 'for another program'],
  ])
    .argument('[path]', `a file or a directory; $NETCONFPATH or ${defaultDirectory} unless given`)
    .option(
      '--plugin-dir <folders>',
      `where plugins are, with ":" between; $CNI_PATH or ${defaultPluginPath}`,
    )
    .option('--files-only', 'look at no executables, versions, modes, addresses and routes of this machine')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing but info, 1 errors or warnings, 2 wrong usage, 3 nothing found, but not all could be looked at.\nEvery rule has a page: docs/rules/L001.md.',
    )
    .action(act(run));
}

interface Options {
  readonly pluginDir?: string;
  readonly filesOnly?: boolean;
  readonly format: 'text' | 'json';
  readonly json?: boolean;
}

async function run(named: string | undefined, options: Options): Promise<number> {
  const path = named ?? (process.env.NETCONFPATH || defaultDirectory);
  const { files, directory, unseen } = read(path);
  const pluginPath = options.pluginDir ?? (process.env.CNI_PATH || defaultPluginPath);
  const { machine, unseen: more } = options.filesOnly
    ? { machine: undefined, unseen: [] }
    : await withProgress('lint', (progress) => {
        progress.show('asking the plugins for their versions');
        return lookAtMachine(files, pluginPath);
      });
  const findings = lint(new LintContext(files, readersByType, directory, machine));
  const networks = files.filter(({ network }) => network !== undefined).length;
  if (options.json || options.format === 'json') sayJson(jsonReport(findings));
  else say(textReport(findings, { files: files.length, networks }, paintFor()));
  const overlooked = [...unseen, ...more];
  for (const line of overlooked) process.stderr.write(`cni-debug lint: not looked at: ${line}\n`);
  if (findings.some(({ severity }) => severity !== 'info')) return ExitStatus.no;
  return overlooked.length > 0 ? ExitStatus.unknown : 0;
}

function read(path: string): Read {
  try {
    return readTarget(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const advice =
      error.code === 'ENOENT' ? 'name a file or a directory: cni-debug lint PATH' : 'run it as root';
    throw new CommandFailure(ExitStatus.unknown, error.message, [advice]);
  }
}

async function lookAtMachine(
  files: Read['files'],
  pluginPath: string,
): Promise<{ machine: Machine; unseen: string[] }> {
  const plugins = await surveyPlugins(
    typesIn(files.flatMap(pluginsOf)),
    pluginPath,
    Object.keys(readersByType),
  );
  const unseen = [...plugins.values()].flatMap((found) =>
    found.kind === 'unknown' ? [`${found.path}: this user may not execute it: run it as root`] : [],
  );
  let host: HostNetwork | undefined;
  try {
    host = readHostNetwork();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    unseen.push(`addresses and routes of this node: ${reason}`);
  }
  return { machine: { pluginPath, plugins, host }, unseen };
}

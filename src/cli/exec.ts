import type { Command } from 'commander';
import type { NetworkList } from '../cni/conflist.ts';
import { failureRecord } from '../node/journals.ts';
import { takeBackAbandoned } from '../runtime/abandoned.ts';
import { ChainError } from '../runtime/member.ts';
import { findNetwork, networkFiles } from '../runtime/network-files.ts';
import { spawnIn, withScratchNamespace } from '../runtime/scratch-run.ts';
import { chainFailure } from './chain-failure.ts';
import { endedBy } from './ending.ts';
import { CommandFailure, ExitStatus, usageError } from './failure.ts';
import { runForeground, statusOfSignal } from './foreground.ts';
import { type AttachmentOptions, executionOf, withCallOptions } from './network-options.ts';
import { type Progress, withProgress } from './progress.ts';
import { say } from './terminal.ts';
import { act, verb } from './verb.ts';

interface ExecOptions extends AttachmentOptions {
  readonly all?: true;
  readonly quiet?: true;
}

export function execCommand(): Command {
  return withCallOptions(
    verb('exec', 'run a command in a scratch namespace, attached to networks', [
      ['exec mynet -- ip addr', 'eth0 is attached to mynet, and all is gone afterwards'],
      ['exec mynet ./20-other.conf -- sh', 'eth0 and eth1; a shell, to look around'],
      ['exec --all -- ping -c1 10.22.0.1', 'every network of the configuration directory'],
      ['exec -q mynet -- cat /proc/net/route', 'prints nothing of its own'],
    ])
      .usage('[options] <network...> -- <command> [arguments]')
      .argument('[network...]', 'names of networks in --conf-dir, or files, attached as eth0, eth1, ...')
      .option('--all', 'every network of --conf-dir, in order')
      .option('-q, --quiet', 'do not print contid= and netnspath='),
  ).action(act(exec));
}

/** The status is the command's; 127 and 126 for one that is not found or cannot be executed, as in a shell. */
async function exec(operands: readonly string[], options: ExecOptions): Promise<number> {
  const { networks, argv } = split(operands);
  const lists = listsOf(networks, options);
  if (process.getuid?.() !== 0)
    throw new CommandFailure(ExitStatus.unknown, 'makes a network namespace, so it must be run as root');
  const containerID = options.containerId ?? randomID();
  const since = new Date();
  try {
    return await withProgress('exec', async (progress) => {
      const execution = executionOf(options, progress);
      await takeBackAbandoned({ ...execution, signal: undefined });
      const { args, capabilities: capabilityArgs } = options;
      const run = { ...execution, lists, containerID, args, capabilityArgs };
      return withScratchNamespace(run, (netns) => runIn(netns, containerID, argv, options, progress));
    });
  } catch (error) {
    const signal = endedBy();
    if (signal !== undefined) return statusOfSignal(signal);
    if (!(error instanceof ChainError)) throw error;
    const index = lists.findIndex(({ name }) => name === error.network);
    const list = lists[index];
    throw chainFailure(error, list && failureRecord(list, { containerID, ifName: `eth${index}` }, since));
  }
}

async function runIn(
  netns: string,
  containerID: string,
  argv: readonly string[],
  { quiet }: ExecOptions,
  progress: Progress,
): Promise<number> {
  progress.stop();
  if (!quiet) say(`contid=${containerID}\nnetnspath=${netns}\n`);
  return runForeground(argv[0] ?? '', () => spawnIn(netns, argv));
}

/** The parser knows no end of the networks: it takes all words for them. */
function split(operands: readonly string[]): { networks: string[]; argv: string[] } {
  const at = process.argv.indexOf('--');
  const argv = at < 0 ? [] : process.argv.slice(at + 1);
  if (argv.length === 0) {
    throw usageError('a command is missing behind "--"', 'cni-debug exec mynet -- ip addr');
  }
  return { networks: operands.slice(0, operands.length - argv.length), argv };
}

function listsOf(networks: readonly string[], { all, confDir }: ExecOptions): NetworkList[] {
  if (all && networks.length > 0) throw usageError('--all and the names of networks exclude each other');
  if (!all && networks.length === 0) throw usageError('a network is missing: name one, or say --all');
  if (!all) return networks.map((network) => findNetwork(network, confDir).list);
  const files = networkFiles(confDir);
  const [refused] = files.refused;
  if (refused !== undefined)
    throw new CommandFailure(ExitStatus.no, `${refused.path}: ${refused.reason.message}`);
  if (files.networks.length === 0)
    throw new CommandFailure(ExitStatus.no, `there is no network in ${confDir}`);
  // By their files' names, whatever their kind: that is how an operator numbers them.
  const inOrder = [...files.networks].sort((one, other) => (one.path < other.path ? -1 : 1));
  return inOrder.map(({ list }) => list);
}

function randomID(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
}

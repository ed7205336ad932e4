import type { Command } from 'commander';
import { isAtLeast } from '../cni/version.ts';
import { findNetwork } from '../runtime/network-files.ts';
import { getStatusNetworkList } from '../runtime/network-list.ts';
import { executionOf, type NetworkOptions, withNetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { say, sayJson } from './terminal.ts';
import { act, networkMeans, verb } from './verb.ts';

export function statusCommand(): Command {
  return withNetworkOptions(
    verb('status', 'ask whether a network is ready for an ADD', [
      ['status mynet', 'status 1, and why, when one of them is not'],
    ]).argument('<network>', networkMeans),
  ).action(act(status));
}

async function status(network: string, options: NetworkOptions): Promise<number> {
  const { list } = findNetwork(network, options.confDir);
  const { name, cniVersion, plugins } = list;
  await withProgress('status', (progress) => getStatusNetworkList(list, executionOf(options, progress)));
  const isAsked = isAtLeast(cniVersion, '1.1.0');
  if (options.json) sayJson({ network: name, ready: true, asked: isAsked ? plugins.length : 0 });
  else if (isAsked) say(`network "${name}" is ready: ${plugins.length} of its plugins say so\n`);
  else say(`network "${name}" is of version ${cniVersion}, which has no STATUS: no plugin was asked\n`);
  return 0;
}

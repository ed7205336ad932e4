import { type Command, InvalidArgumentError } from 'commander';
import type { ValidAttachment } from '../cni/valid-attachments.ts';
import { isAtLeast } from '../cni/version.ts';
import { takeBackAbandoned } from '../runtime/abandoned.ts';
import { gcNetworkList } from '../runtime/gc-network-list.ts';
import { findNetwork } from '../runtime/network-files.ts';
import type { CachedAttachment } from '../runtime/result-cache.ts';
import { usageError } from './failure.ts';
import { livingAttachments } from './living-attachments.ts';
import { executionOf, type NetworkOptions, withNetworkOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { say, sayJson } from './terminal.ts';
import { act, networkMeans, verb } from './verb.ts';

interface GcOptions extends NetworkOptions {
  readonly valid?: ValidAttachment[];
  readonly all?: true;
}

export function gcCommand(): Command {
  return withNetworkOptions(
    verb('gc', 'remove what attachments have left that are no more', [
      ['gc mynet', 'keeps every attachment whose namespace is still there'],
      ['gc mynet --valid web1/eth0 --valid db1/eth0', 'keeps these, and no other'],
      ['gc mynet --all', 'keeps none, as cnitool does: also what runs is detached'],
    ])
      .argument('<network>', networkMeans)
      .option('--valid <container/interface>', 'an attachment to keep, and every other goes', valid)
      .option('--all', 'keep no attachment at all'),
  ).action(act(gc));
}

/** Prints what got its DEL. */
async function gc(network: string, options: GcOptions): Promise<number> {
  if (options.all && options.valid !== undefined)
    throw usageError('--all keeps nothing, and --valid something: take one of them');
  const { list } = findNetwork(network, options.confDir);
  const stale: CachedAttachment[] = [];
  await withProgress('gc', async (progress) => {
    const execution = executionOf(options, progress);
    await takeBackAbandoned(execution);
    const validAttachments = options.all ? [] : (options.valid ?? (() => livingAttachments(list, options)));
    const onStale = (attachment: CachedAttachment) => void stale.push(attachment);
    await gcNetworkList(list, { ...execution, validAttachments, onStale });
  });
  if (options.json) {
    sayJson({
      network: list.name,
      deleted: stale.map(({ containerID, ifName }) => ({ containerID, ifName })),
    });
    return 0;
  }
  const why = options.all || options.valid ? '' : ', which was gone';
  for (const { containerID, ifName } of stale) say(`deleted ${ifName} of ${containerID}${why}\n`);
  say(`${summary(list.name, list.cniVersion, list.disableGC)}\n`);
  return 0;

  function summary(name: string, version: typeof list.cniVersion, isDisabled: boolean): string {
    if (isDisabled) return `network "${name}" says disableGC: nothing was done`;
    const asked = isAtLeast(version, '1.1.0')
      ? 'GC of every plugin'
      : `no GC, which ${version} does not have`;
    return `network "${name}": ${stale.length} deleted, then ${asked}`;
  }
}

function valid(text: string, others: ValidAttachment[] = []): ValidAttachment[] {
  const [containerID = '', ifName = '', ...more] = text.split('/');
  if (containerID === '' || ifName === '' || more.length > 0)
    throw new InvalidArgumentError('A container ID and an interface belong there: web1/eth0.');
  return [...others, { containerID, ifName }];
}

import type { Command } from 'commander';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { ageText } from './age.ts';
import { ExitStatus } from './failure.ts';
import { type PlaceOptions, withPlaceOptions } from './network-options.ts';
import { table } from './table.ts';
import { note, type Paint, paintFor, say, sayJson } from './terminal.ts';
import { act, verb } from './verb.ts';

interface ListOptions extends PlaceOptions {
  readonly network?: string;
  readonly container?: string;
}

export function listCommand(): Command {
  return withPlaceOptions(
    verb('list', 'show the attachments that caches, leases and records know', [
      ['list', 'all of this node'],
      ['list --network mynet', 'of one network'],
      ['list --container 3f2a', 'of containers whose ID begins so'],
      [`list --json | jq '.[] | select(.state == "gone")'`, 'what lost its container'],
    ])
      .option('--network <name>', 'only of this network')
      .option('--container <id>', 'only of containers whose ID begins so'),
  ).action(act(list));
}

async function list(options: ListOptions): Promise<number> {
  const { attachments, refused } = everyAttachment(options);
  const { network, container = '' } = options;
  const shown = attachments.filter(
    (one) => (network === undefined || one.network === network) && one.containerID.startsWith(container),
  );
  if (options.json) sayJson(shown);
  else if (shown.length > 0) say(asTable(shown, paintFor()));
  else note('list', 'no attachments');
  for (const reason of refused) note('list', `could not look at everything: ${reason}`);
  return refused.length === 0 ? 0 : ExitStatus.unknown;
}

function asTable(attachments: readonly KnownAttachment[], paint: Paint): string {
  const now = Date.now();
  const rows = attachments.map(({ network, containerID, ifName, addresses, since, state, sources }) => [
    ...[network, containerID, ifName || '?', addresses.join(',') || '-'],
    ...[ageText(now - Date.parse(since)), state, sources.join(',')],
  ]);
  return table(['NETWORK', 'CONTAINER', 'INTERFACE', 'ADDRESSES', 'AGE', 'STATE', 'KNOWN FROM'], rows, paint);
}

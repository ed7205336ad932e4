import type { Command } from 'commander';
import { checkNetworkList } from '../runtime/network-list.ts';
import { attachmentIn } from './attachment.ts';
import { callChain } from './chain-call.ts';
import { type AttachmentOptions, withAttachmentOptions } from './network-options.ts';
import { act, netnsMeans, networkMeans, verb } from './verb.ts';

export function checkCommand(): Command {
  return withAttachmentOptions(
    verb('check', 'ask whether an attachment is still as its ADD left it', [
      ['check mynet testing', 'status 1, and what differs, when it is not'],
    ])
      .argument('<network>', networkMeans)
      .argument('<netns>', netnsMeans),
  ).action(act(check));
}

async function check(network: string, netns: string, options: AttachmentOptions): Promise<number> {
  const attachment = attachmentIn(network, netns, options);
  await callChain('check', attachment, options, (runtime) => checkNetworkList(attachment.list, runtime));
  return 0;
}

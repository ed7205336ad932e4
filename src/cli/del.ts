import type { Command } from 'commander';
import { delNetworkList } from '../runtime/network-list.ts';
import { attachmentToRemove } from './attachment.ts';
import { callChain } from './chain-call.ts';
import { type AttachmentOptions, withAttachmentOptions } from './network-options.ts';
import { act, netnsMeans, networkMeans, verb } from './verb.ts';

export function delCommand(): Command {
  return withAttachmentOptions(
    verb('del', 'detach a container from a network; what is gone is no error', [
      ['del mynet /var/run/netns/testing', 'what add or cnitool attached'],
      ['del mynet 3f2a0c --container-id default-nginx', 'what a runtime attached, under the ID that it uses'],
    ])
      .argument('<network>', networkMeans)
      .argument('<netns>', netnsMeans),
  ).action(act(del));
}

async function del(network: string, netns: string, options: AttachmentOptions): Promise<number> {
  const attachment = attachmentToRemove(network, netns, options);
  await callChain('del', attachment, options, (runtime) => delNetworkList(attachment.list, runtime));
  return 0;
}

import type { Command } from 'commander';
import { stringifyJson } from '../cni/json.ts';
import { takeBackAbandoned } from '../runtime/abandoned.ts';
import { addNetworkList } from '../runtime/network-list.ts';
import { attachmentTo } from './attachment.ts';
import { callChain } from './chain-call.ts';
import { type AttachmentOptions, withAttachmentOptions } from './network-options.ts';
import { say } from './terminal.ts';
import { act, netnsMeans, networkMeans, verb } from './verb.ts';

export function addCommand(): Command {
  return withAttachmentOptions(
    verb('add', 'attach a container to a network, as a runtime does', [
      ['add mynet /var/run/netns/testing', 'as cnitool would, which can then delete it'],
      ['add mynet testing --ifname eth1', 'the namespace by its name'],
      ['add ./10-mynet.conflist pid:4711', 'a file that no runtime has loaded, the namespace of a process'],
      [
        `add mynet testing --capabilities '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'`,
        'capability arguments',
      ],
    ])
      .argument('<network>', networkMeans)
      .argument('<netns>', netnsMeans),
  ).action(act(add));
}

/** Prints the result. */
async function add(network: string, netns: string, options: AttachmentOptions): Promise<number> {
  const attachment = attachmentTo(network, netns, options);
  const result = await callChain('add', attachment, options, async (runtime) => {
    await takeBackAbandoned(runtime);
    return addNetworkList(attachment.list, runtime);
  });
  say(`${stringifyJson(result, '    ')}\n`);
  return 0;
}

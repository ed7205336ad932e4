import type { Command } from 'commander';
import { type JsonObject, stringifyJson } from '../cni/json.ts';
import { takeBackAbandoned } from '../runtime/abandoned.ts';
import { nextInterfaceName } from '../runtime/container-links.ts';
import { identity } from '../runtime/find-namespace.ts';
import { addNetworkList, InterfaceTakenError } from '../runtime/network-list.ts';
import { attachmentTo, isIn, knownAttachments, livingNamespaceOf } from './attachment.ts';
import { callChain } from './chain-call.ts';
import { type AttachmentOptions, withAttachmentOptions } from './network-options.ts';
import { say } from './terminal.ts';
import { act, containerMeans, networkMeans, verb } from './verb.ts';

export function attachCommand(): Command {
  return withAttachmentOptions(
    verb('attach', 'give a running container a further interface', [
      ['attach 3f2a0c mynet', 'the next free ethN, for a container of containerd'],
      ['attach pid:4711 mynet --ifname eth12', 'for whatever the process 4711 is in'],
    ])
      .argument('<container>', containerMeans)
      .argument('<network>', networkMeans),
  ).action(act(attach));
}

/** Prints the result. The cache knows the attachment, as if the container's runtime had made it. */
async function attach(container: string, network: string, options: AttachmentOptions): Promise<number> {
  const { netns, containerID } = livingNamespaceOf(container, options);
  const containerId = options.containerId ?? knownID(netns, options) ?? containerID;
  const place = { ...options, ...(containerId === undefined ? {} : { containerId }) };
  const taken: string[] = [];
  for (;;) {
    const ifname = options.ifname ?? nextInterfaceName(netns, taken);
    const result = await attachAs({ ...place, ifname }, options.ifname === undefined);
    if (result === undefined) {
      taken.push(ifname);
      continue;
    }
    say(`${stringifyJson(result, '    ')}\n`);
    return 0;
  }

  /** Undefined when another one was quicker to take the name, and it may be another name. */
  function attachAs(as: AttachmentOptions, mayBeTaken: boolean): Promise<JsonObject | undefined> {
    const attachment = attachmentTo(network, netns, as);
    return callChain('attach', attachment, options, async (runtime) => {
      await takeBackAbandoned(runtime);
      try {
        return await addNetworkList(attachment.list, runtime);
      } catch (error) {
        if (mayBeTaken && error instanceof InterfaceTakenError) return undefined;
        throw error;
      }
    });
  }
}

/** What the container's runtime calls it: its own interfaces are attached under that. */
function knownID(netns: string, options: AttachmentOptions): string | undefined {
  const id = identity(netns);
  return knownAttachments(options).find((known) => isIn(known, id))?.containerID;
}

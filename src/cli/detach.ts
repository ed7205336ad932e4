import type { Command } from 'commander';
import { parseConflist } from '../cni/conflist.ts';
import { identity } from '../runtime/find-namespace.ts';
import { delNetworkList } from '../runtime/network-list.ts';
import type { CachedAttachment } from '../runtime/result-cache.ts';
import { isIn, type KnownAttachment, knownAttachments, namespaceOf } from './attachment.ts';
import { callChain } from './chain-call.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { type NetworkOptions, withNetworkOptions } from './network-options.ts';
import { act, containerMeans, verb } from './verb.ts';

interface DetachOptions extends NetworkOptions {
  readonly ifname: string;
}

export function detachCommand(): Command {
  return withNetworkOptions(
    verb('detach', 'take an interface away from a running container', [
      ['detach 3f2a0c --ifname eth12', 'what attach has added'],
    ])
      .argument('<container>', containerMeans)
      .requiredOption('--ifname <name>', 'the interface in the container'),
  ).action(act(detach));
}

/** With the network as it was at ADD, whatever has become of its file. */
async function detach(container: string, options: DetachOptions): Promise<number> {
  const attachment = await attachedAs(container, options);
  const list = parseConflist(attachment.config);
  const capabilityArgs = attachment.capabilityArgs;
  await callChain('detach', { ...attachment, list, capabilityArgs }, options, (runtime) =>
    delNetworkList(list, runtime),
  );
  return 0;
}

/** Throws CommandFailure when the container has no such interface, with a list of those it has. */
async function attachedAs(container: string, options: DetachOptions): Promise<CachedAttachment> {
  const known = knownAttachments(options);
  const own = known.filter(isOf(container, known, options));
  const found = own.filter(({ ifName }) => ifName === options.ifname);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    const networks = found.map(({ network }) => network).join(', ');
    throw new CommandFailure(
      ExitStatus.no,
      `"${options.ifname}" of ${container} is of several networks: ${networks}`,
      ['say which: cni-debug del NETWORK CONTAINER --ifname NAME'],
    );
  }
  const names = own.map(({ ifName, network }) => `${ifName} (${network})`).join(', ');
  const there = names === '' ? `no attachment of it is in ${options.cacheDir}` : `it has ${names}`;
  throw new CommandFailure(
    ExitStatus.no,
    `container ${container} has no "${options.ifname}" that is known: ${there}`,
    ['cni-debug list shows all attachments; cni-debug del NETWORK NETNS removes one that no cache knows'],
  );
}

/** By the ID under which it is attached, and by its namespace. */
function isOf(
  container: string,
  known: readonly KnownAttachment[],
  options: DetachOptions,
): (attachment: KnownAttachment) => boolean {
  const hasID = ({ containerID }: KnownAttachment) => containerID === container;
  let id: string;
  try {
    id = identity(namespaceOf(container, options).netns);
  } catch (error) {
    // What has ended is known by its ID only.
    if (known.some(hasID)) return hasID;
    throw error;
  }
  return (attachment) => hasID(attachment) || isIn(attachment, id);
}

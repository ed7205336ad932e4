import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import type { JsonObject } from '../cni/json.ts';
import { NotNetworkNamespaceError, openNamespace } from '../kernel/netns.ts';
import { SystemError } from '../kernel/system-error.ts';
import { remainingNetns } from '../runtime/attachment-state.ts';
import {
  cnitoolContainerID,
  type FoundNamespace,
  findNamespace,
  identity,
  NamespaceNotFoundError,
} from '../runtime/find-namespace.ts';
import { findNetwork, UnknownNetworkError } from '../runtime/network-files.ts';
import { type CachedAttachment, ResultCache } from '../runtime/result-cache.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import type { AttachmentOptions, PlaceOptions } from './network-options.ts';

/** What the words of a command line say of one attachment. */
export interface Attachment extends Place {
  readonly list: NetworkList;
  readonly args: string;
  readonly capabilityArgs: JsonObject;
}

interface Place {
  readonly containerID: string;
  readonly netns: string;
  readonly ifName: string;
}

/** The attachment that `add` makes and `check` looks at. Throws CommandFailure, CniError for a configuration. */
export function attachmentTo(network: string, container: string, options: AttachmentOptions): Attachment {
  const { args, capabilities: capabilityArgs } = options;
  const { list } = findNetwork(network, options.confDir);
  return { list, ...placeOf(namespaceOf(container), options), args, capabilityArgs };
}

/**
 * The attachment that `del` removes: with what its ADD was given, where nothing else is said, and also when neither the
 * configuration nor the container is there any more. Throws as above.
 */
export function attachmentToRemove(
  network: string,
  container: string,
  options: AttachmentOptions,
): Attachment {
  const known = knownAttachments(options);
  const place = placeToRemove(container, known, options);
  const isIt = (one: CachedAttachment, name: string) =>
    one.network === name && one.containerID === place.containerID && one.ifName === place.ifName;
  const list = listToRemove(network, (name) => known.find((one) => isIt(one, name)), options);
  const cached = known.find((one) => isIt(one, list.name));
  const isSaid = Object.keys(options.capabilities).length > 0;
  return {
    ...{ list, ...place },
    args: options.args || (cached?.args ?? ''),
    capabilityArgs: isSaid ? options.capabilities : (cached?.capabilityArgs ?? options.capabilities),
  };
}

/** The namespace that a word stands for. Throws CommandFailure. */
export function namespaceOf(container: string): FoundNamespace {
  try {
    return findNamespace(container);
  } catch (error) {
    if (!(error instanceof NamespaceNotFoundError)) throw error;
    throw new CommandFailure(ExitStatus.no, error.message, error.advice);
  }
}

/** The same, when there is one. Throws CommandFailure where there is none, or something else. */
export function livingNamespaceOf(container: string): FoundNamespace {
  const found = namespaceOf(container);
  try {
    openNamespace(found.netns).close();
    return found;
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof NotNetworkNamespaceError)) throw error;
    const status =
      error instanceof SystemError && error.code !== 'ENOENT' ? ExitStatus.unknown : ExitStatus.no;
    const message = `${JSON.stringify(container)} has no network namespace: ${error.message}`;
    throw new CommandFailure(status, message, ['it may have ended: ask its runtime again for the PID']);
  }
}

/** An attachment that the cache has. */
export interface KnownAttachment extends CachedAttachment {
  readonly since: Date;
}

/** Those of the cache that make sense, oldest first. Throws SystemError. */
export function knownAttachments({ cacheDir }: PlaceOptions): KnownAttachment[] {
  return new ResultCache(cacheDir).list().entries.map(({ attachment, since }) => ({ ...attachment, since }));
}

/** Whether it is in the namespace of this identity, and not only its path leads there by now. */
export function isIn(attachment: KnownAttachment, id: string): boolean {
  const { netns } = attachment;
  return netns !== '' && identity(netns) === id && remainingNetns(attachment) !== '';
}

function placeToRemove(
  container: string,
  known: readonly CachedAttachment[],
  options: AttachmentOptions,
): Place {
  try {
    return placeOf(namespaceOf(container), options);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const cached = known.find(({ containerID }) => containerID === container);
    // As cnitool called a namespace of that name, which is gone.
    return placeOf(cached ?? { netns: `/var/run/netns/${container}` }, options);
  }
}

/** As it was at ADD, where no file has the network any more. */
function listToRemove(
  network: string,
  cachedIn: (network: string) => CachedAttachment | undefined,
  { confDir }: PlaceOptions,
): NetworkList {
  try {
    return findNetwork(network, confDir).list;
  } catch (error) {
    const cached = error instanceof UnknownNetworkError ? cachedIn(network) : undefined;
    if (cached === undefined) throw error;
    return parseConflist(cached.config);
  }
}

function placeOf({ netns, containerID }: FoundNamespace, options: AttachmentOptions): Place {
  return {
    netns,
    containerID: options.containerId ?? containerID ?? cnitoolContainerID(netns),
    ifName: options.ifname ?? 'eth0',
  };
}

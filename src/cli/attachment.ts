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

/** The attachment that `add` and `attach` make. Throws CommandFailure, CniError for a configuration. */
export function attachmentTo(network: string, container: string, options: AttachmentOptions): Attachment {
  const { args, capabilities: capabilityArgs } = options;
  const { list } = findNetwork(network, options.confDir);
  return { list, ...placeOf(namespaceOf(container, options), options), args, capabilityArgs };
}

/**
 * The attachment that `check` looks at: that which the cache knows in this namespace, whatever ID it was made under; with
 * what its ADD was given, where nothing else is said. Throws as above.
 */
export function attachmentIn(network: string, container: string, options: AttachmentOptions): Attachment {
  const { list } = findNetwork(network, options.confDir);
  const found = namespaceOf(container, options);
  return attachmentOf(list, found, knownAttachments(options).filter(isAt(found, options)), options);
}

/**
 * The attachment that `del` removes: the same, also when neither the configuration nor the container is there any more.
 * Throws as above.
 */
export function attachmentToRemove(
  network: string,
  container: string,
  options: AttachmentOptions,
): Attachment {
  const found = foundToRemove(container, options);
  const known = knownAttachments(options).filter(isAt(found, options));
  return attachmentOf(listToRemove(network, known, options), found, known, options);
}

/** The namespace that a word stands for: also the container ID of an attachment, as `list` shows it. Throws CommandFailure. */
export function namespaceOf(container: string, options: PlaceOptions): FoundNamespace {
  try {
    return findNamespace(container);
  } catch (error) {
    if (!(error instanceof NamespaceNotFoundError)) throw error;
    const attached = attachedNetns(container, options);
    if (attached !== undefined) return { netns: attached, containerID: container };
    throw new CommandFailure(ExitStatus.no, error.message, error.advice);
  }
}

/** Undefined also where the cache cannot be read: it was a guess. */
function attachedNetns(containerID: string, options: PlaceOptions): string | undefined {
  try {
    const attached = knownAttachments(options).filter((known) => known.containerID === containerID);
    return attached.find((known) => known.netns !== '' && remainingNetns(known) !== '')?.netns;
  } catch {
    return undefined;
  }
}

/** The same, when there is one. Throws CommandFailure where there is none, or something else. */
export function livingNamespaceOf(container: string, options: PlaceOptions): FoundNamespace {
  const found = namespaceOf(container, options);
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

function foundToRemove(container: string, options: AttachmentOptions): FoundNamespace {
  try {
    return namespaceOf(container, options);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const cached = knownAttachments(options).find(({ containerID }) => containerID === container);
    // As cnitool called a namespace of that name, which is gone.
    return cached ?? { netns: `/var/run/netns/${container}` };
  }
}

/** Whether an attachment is the interface that is spoken of: under its container ID, or else in its namespace. */
function isAt(found: FoundNamespace, options: AttachmentOptions): (known: KnownAttachment) => boolean {
  const { containerID, ifName } = placeOf(found, options);
  const id = identity(found.netns);
  return (known) => {
    if (known.ifName !== ifName) return false;
    return known.containerID === containerID || (options.containerId === undefined && isIn(known, id));
  };
}

function attachmentOf(
  list: NetworkList,
  found: FoundNamespace,
  known: readonly KnownAttachment[],
  options: AttachmentOptions,
): Attachment {
  const place = placeOf(found, options);
  const own = known.filter(({ network }) => network === list.name);
  const cached = own.find(({ containerID }) => containerID === place.containerID) ?? own[0];
  const isSaid = Object.keys(options.capabilities).length > 0;
  return {
    ...{ list, ...place, containerID: cached?.containerID ?? place.containerID },
    args: options.args || (cached?.args ?? ''),
    capabilityArgs: isSaid ? options.capabilities : (cached?.capabilityArgs ?? options.capabilities),
  };
}

/** As it was at ADD, where no file has the network any more. */
function listToRemove(
  network: string,
  known: readonly KnownAttachment[],
  { confDir }: PlaceOptions,
): NetworkList {
  try {
    return findNetwork(network, confDir).list;
  } catch (error) {
    const cached = known.find((one) => one.network === network);
    if (!(error instanceof UnknownNetworkError) || cached === undefined) throw error;
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

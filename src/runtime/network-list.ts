import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { containerIDComplaint, ifNameComplaint } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { type JsonObject, newObject, stringifyJson } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { isAtLeast } from '../cni/version.ts';
import { isOwnNetwork, remainingNetns } from './attachment-state.ts';
import { addChain, checkChain, delChain, statusChain } from './chain.ts';
import type { Claim } from './claim.ts';
import { withAttachment, withNamespace, withNetwork } from './claims.ts';
import { hasInterface } from './container-links.ts';
import { detach, inVersionOf } from './detach.ts';
import type { Attaching } from './execution.ts';
import { identity } from './find-namespace.ts';
import { type CachedAttachment, type CacheEntry, ResultCache } from './result-cache.ts';

/** One attachment of a container to a network, and how its plugins are run (libcni, `RuntimeConf` and `CNIConfig`). */
export interface RuntimeConfiguration extends Attaching {
  /** What is known of attachments lies in `<cacheDir>/results`, as libcni has it; `/var/lib/cni` unless given. */
  readonly cacheDir?: string | undefined;
  /** Is told of what goes wrong without being an error. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** An interface is there already, and not to be touched. */
export class InterfaceTakenError extends CniError {}

/**
 * Attaches a container to a network: ADD of every plugin in order, each with the result of the one before. Resolves to
 * the last result, in the list's version, which is cached for DEL and CHECK. When it fails, everything is taken back by
 * DEL, and a ChainError is thrown; also by the next call, when this one is killed. Throws InterfaceTakenError (code 4):
 * the DEL that follows a failed ADD would remove it; and code 8 for the node's own namespace.
 */
export async function addNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<JsonObject> {
  checkNames(list, runtime);
  checkNamespace(runtime);
  const cache = new ResultCache(runtime.cacheDir);
  // Whoever collects garbage must not come in between: what is not cached yet would be that.
  const add = () => withAttachment(list, runtime, (claim) => withNamespace(runtime, () => addClaimed(claim)));
  return withNetwork(list, runtime, 'shared', add);

  async function addClaimed(claim: Claim): Promise<JsonObject> {
    const attaching = { ...runtime, inherited: claim.fd };
    await removeStale(list, attaching, cache);
    const attachment = attachmentOf(list, runtime);
    claim.begin({ attachments: [attachment], cniPath: runtime.cniPath });
    const result = await addChain(list, attaching);
    try {
      cache.write({ ...attachment, result });
    } catch (error) {
      // Without it nobody could find the attachment again.
      await delChain(list, { ...attaching, signal: undefined }, result);
      throw new CniError(ErrorCode.ioFailure, CniError.from(error).message, { cause: error });
    }
    return result;
  }
}

/**
 * Detaches a container: DEL of every plugin in reverse, with the cached result since 0.4.0, and without one that is
 * damaged. What is not there is success. The cache forgets the attachment only when all plugins have succeeded.
 * Throws the first ChainError when all had their turn.
 */
export async function delNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<void> {
  checkNames(list, runtime);
  const cache = new ResultCache(runtime.cacheDir);
  await withAttachment(list, runtime, async (claim) => {
    // One that is damaged must keep nobody from it.
    const known = readUnlessDamaged(list, runtime, cache);
    const result = known?.attachment.result;
    // When it was written down says something of that path only.
    const since = known?.attachment.netns === runtime.netns ? known.since : undefined;
    const netns = remainingNetns({ ...runtime, result, since });
    const detaching = { ...runtime, netns, inherited: claim.fd };
    await delChain(list, detaching, result && inVersionOf(list, result));
    cache.remove(keyOf(list, runtime));
  });
}

/**
 * CHECK of every plugin in order, with the cached result; the first error is thrown. Nothing when the list disables it.
 * Throws code 1 before 0.4.0, which has no CHECK, and code 3 for an attachment that is not cached.
 */
export async function checkNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<void> {
  checkNames(list, runtime);
  if (!isAtLeast(list.cniVersion, '0.4.0')) {
    const message = `network "${list.name}": version ${list.cniVersion} has no CHECK, it came with 0.4.0`;
    throw new CniError(ErrorCode.incompatibleVersion, message);
  }
  if (list.disableCheck) return;
  const cache = new ResultCache(runtime.cacheDir);
  const key = keyOf(list, runtime);
  const result = cache.read(key)?.result;
  if (result === undefined) {
    const message = `container "${key.containerID}" has no "${key.ifName}" in network "${list.name}": ${cache.pathOf(key)} is not there`;
    throw new CniError(ErrorCode.unknownContainer, message);
  }
  await checkChain(list, runtime, inVersionOf(list, result));
}

/** STATUS of every plugin in order; the first error is thrown. Nothing before 1.1.0, which has no STATUS. */
export async function getStatusNetworkList(
  list: NetworkList,
  execution: Pick<
    RuntimeConfiguration,
    'cniPath' | 'timeoutMs' | 'signal' | 'environment' | 'trace' | 'onCall'
  >,
): Promise<void> {
  if (isAtLeast(list.cniVersion, '1.1.0')) await statusChain(list, execution);
}

/** As `addNetworkList`, of a network that is the configuration of one plugin. */
export function addNetwork(plugin: JsonObject, runtime: RuntimeConfiguration): Promise<JsonObject> {
  return addNetworkList(listOf(plugin), runtime);
}

/** As `delNetworkList`, of a network that is the configuration of one plugin. */
export function delNetwork(plugin: JsonObject, runtime: RuntimeConfiguration): Promise<void> {
  return delNetworkList(listOf(plugin), runtime);
}

/** As `checkNetworkList`, of a network that is the configuration of one plugin. */
export function checkNetwork(plugin: JsonObject, runtime: RuntimeConfiguration): Promise<void> {
  return checkNetworkList(listOf(plugin), runtime);
}

/** libcni's `validateRuntimeConf`. Throws code 4, and code 7 for the name of the network. */
function checkNames(list: NetworkList, { containerID, ifName }: RuntimeConfiguration): void {
  const complaints = [
    [ErrorCode.invalidConfiguration, 'network name', list.name, containerIDComplaint(list.name)],
    [ErrorCode.invalidEnvironment, 'container ID', containerID, containerIDComplaint(containerID)],
    [
      ErrorCode.invalidEnvironment,
      'interface name',
      ifName,
      ifName === '' ? 'is empty' : ifNameComplaint(ifName),
    ],
  ] as const;
  for (const [code, what, value, complaint] of complaints)
    if (complaint !== undefined) throw new CniError(code, `${what} ${JSON.stringify(value)} ${complaint}`);
}

/** Plugins would work on the node itself: those of the reference look only when they have done so. */
function checkNamespace({ netns }: RuntimeConfiguration): void {
  if (!isOwnNetwork(netns)) return;
  const message = `${netns} is the node's own network, and not that of a container`;
  const details = 'a container of the host network cannot be attached to another one';
  throw new CniError(ErrorCode.invalidNetNS, message, { details });
}

/**
 * An attachment of this name that is cached, but whose interface is gone, as after the node started anew: it gets its
 * DEL, so that its addresses are free. Throws InterfaceTakenError when the interface is there.
 */
async function removeStale(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  cache: ResultCache,
): Promise<void> {
  const { containerID, ifName, netns, onWarning } = runtime;
  const key = keyOf(list, runtime);
  const known = readUnlessDamaged(list, runtime, cache);
  // Empty where the path that it had is another container's now.
  const before = known === undefined ? '' : remainingNetns({ ...known.attachment, since: known.since });
  const places = makesInterface(list, ifName) ? [netns, before] : [];
  const place = places.find((path) => hasInterface(path, ifName));
  if (place !== undefined) {
    const isKnown = before !== '' && identity(before) === identity(place);
    const whose = isKnown
      ? `by an earlier ADD to network "${list.name}" (${cache.pathOf(key)}): DEL that first`
      : 'which is none of this network: choose another name';
    const message = `container "${containerID}" already has an interface "${ifName}" in ${place}, ${whose}`;
    throw new InterfaceTakenError(ErrorCode.invalidEnvironment, message);
  }
  if (known === undefined) return;
  onWarning?.(`${cache.pathOf(key)} is of an earlier "${ifName}" that is gone: it gets its DEL first`);
  await detach(known.attachment, known.since, runtime, list);
}

/** lo is there before anybody is asked, and loopback makes no other, whatever it is called with. */
function makesInterface({ plugins }: NetworkList, ifName: string): boolean {
  return ifName !== 'lo' && plugins.some((plugin) => lookUp(plugin, 'type') !== 'loopback');
}

function readUnlessDamaged(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  cache: ResultCache,
): CacheEntry | undefined {
  try {
    return cache.find(keyOf(list, runtime));
  } catch (error) {
    runtime.onWarning?.(`goes on without a cached result: ${CniError.from(error).message}`);
    return undefined;
  }
}

function keyOf(list: NetworkList, { containerID, ifName }: RuntimeConfiguration) {
  return { network: list.name, containerID, ifName };
}

function attachmentOf(list: NetworkList, runtime: RuntimeConfiguration): CachedAttachment {
  const { netns, args = '', capabilityArgs = newObject() } = runtime;
  const config = stringifyJson(list.document);
  return { ...keyOf(list, runtime), netns, args, capabilityArgs, config, result: undefined };
}

function listOf(plugin: JsonObject): NetworkList {
  return parseConflist(stringifyJson(plugin));
}

import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { convertResult } from '../cni/conversion.ts';
import { containerIDComplaint, ifNameComplaint } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { type JsonObject, newObject, stringifyJson } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { versionOfResult } from '../cni/result.ts';
import { isAtLeast } from '../cni/version.ts';
import { type Attaching, addChain, checkChain, delChain, statusChain } from './chain.ts';
import { Claim } from './claim.ts';
import { hasInterface } from './container-links.ts';
import { type CachedAttachment, ResultCache } from './result-cache.ts';

/** One attachment of a container to a network, and how its plugins are run (libcni, `RuntimeConf` and `CNIConfig`). */
export interface RuntimeConfiguration extends Attaching {
  /** What is known of attachments lies in `<cacheDir>/results`, as libcni has it; `/var/lib/cni` unless given. */
  readonly cacheDir?: string | undefined;
  /** Is told of what goes wrong without being an error. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Attaches a container to a network: ADD of every plugin in order, each with the result of the one before. Resolves to
 * the last result, in the list's version, which is cached for DEL and CHECK. When it fails, everything is taken back by
 * DEL, and a ChainError is thrown; also by the next call, when this one is killed. Throws code 4 for an interface that
 * is there already: the DEL that follows a failed ADD would remove it.
 */
export async function addNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<JsonObject> {
  checkNames(list, runtime);
  const cache = new ResultCache(runtime.cacheDir);
  return withClaim(list, runtime, async (claim) => {
    await removeStale(list, runtime, cache);
    const attachment = attachmentOf(list, runtime);
    claim.begin({ attachments: [attachment], cniPath: runtime.cniPath });
    const attaching = { ...runtime, inherited: claim.fd };
    const result = await addChain(list, attaching);
    try {
      cache.write({ ...attachment, result });
    } catch (error) {
      // Without it nobody could find the attachment again.
      await delChain(list, { ...attaching, signal: undefined }, result);
      throw new CniError(ErrorCode.ioFailure, CniError.from(error).message, { cause: error });
    }
    return result;
  });
}

/**
 * Detaches a container: DEL of every plugin in reverse, with the cached result since 0.4.0, and without one that is
 * damaged. What is not there is success. The cache forgets the attachment only when all plugins have succeeded.
 * Throws the first ChainError when all had their turn.
 */
export async function delNetworkList(list: NetworkList, runtime: RuntimeConfiguration): Promise<void> {
  checkNames(list, runtime);
  const cache = new ResultCache(runtime.cacheDir);
  await withClaim(list, runtime, async (claim) => {
    const prevResult = cachedResult(list, runtime, cache);
    await delChain(list, { ...runtime, inherited: claim.fd }, prevResult);
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

/**
 * DEL of one attachment, for whoever holds its claim; `from` is what it was attached with. Throws the first ChainError.
 */
export async function detach(from: CachedAttachment, runtime: RuntimeConfiguration): Promise<void> {
  const { containerID, netns, ifName, args, capabilityArgs } = from;
  const list = parseConflist(from.config);
  const attaching = { ...runtime, containerID, netns, ifName, args, capabilityArgs, signal: undefined };
  await delChain(list, attaching, from.result && inVersionOf(list, from.result));
  new ResultCache(runtime.cacheDir).remove(from);
}

/** Where claims lie: not beside what is cached, since libcni takes every file there for an attachment. */
export function claimFolder({ cacheDir }: Pick<RuntimeConfiguration, 'cacheDir'>): string {
  return `${new ResultCache(cacheDir).folder}/cni-debug`;
}

async function withClaim<T>(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  run: (claim: Claim) => Promise<T>,
): Promise<T> {
  const name = `${list.name}-${runtime.containerID}-${runtime.ifName}`;
  const claim = await Claim.take(claimFolder(runtime), name, runtime.signal);
  try {
    await takeBackLeft(claim, runtime);
  } catch (error) {
    claim.abandon();
    throw error;
  }
  try {
    return await run(claim);
  } finally {
    claim.release();
  }
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

/** What one that was killed had begun of this very attachment. */
async function takeBackLeft({ left }: Claim, runtime: RuntimeConfiguration): Promise<void> {
  if (left === undefined) return;
  runtime.onWarning?.(
    'an earlier call for this attachment was killed: what it had begun is taken back first',
  );
  for (const attachment of left.attachments) await detach(attachment, runtime);
}

/**
 * An attachment of this name that is cached, but whose interface is gone, as after the node started anew: it gets its
 * DEL, so that its addresses are free. Throws code 4 when the interface is there.
 */
async function removeStale(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  cache: ResultCache,
): Promise<void> {
  const { containerID, ifName, netns, onWarning } = runtime;
  const key = keyOf(list, runtime);
  const known = readUnlessDamaged(cache, key, onWarning);
  const places = makesInterface(list, ifName) ? [netns, known?.netns || netns] : [];
  const place = places.find((path) => hasInterface(path, ifName));
  if (place !== undefined) {
    const whose =
      known === undefined
        ? 'which is none of this network: choose another name'
        : `by an earlier ADD to network "${list.name}" (${cache.pathOf(key)}): DEL that first`;
    const message = `container "${containerID}" already has an interface "${ifName}" in ${place}, ${whose}`;
    throw new CniError(ErrorCode.invalidEnvironment, message);
  }
  if (known === undefined) return;
  onWarning?.(`${cache.pathOf(key)} is of an earlier "${ifName}" that is gone: it gets its DEL first`);
  const attaching = { ...runtime, netns: known.netns, signal: undefined };
  await delChain(list, attaching, known.result && inVersionOf(list, known.result));
  cache.remove(key);
}

/** lo is there before anybody is asked, and loopback makes no other, whatever it is called with. */
function makesInterface({ plugins }: NetworkList, ifName: string): boolean {
  return ifName !== 'lo' && plugins.some((plugin) => lookUp(plugin, 'type') !== 'loopback');
}

/** What DEL passes on; one that is damaged must keep nobody from it. */
function cachedResult(
  list: NetworkList,
  runtime: RuntimeConfiguration,
  cache: ResultCache,
): JsonObject | undefined {
  const result = readUnlessDamaged(cache, keyOf(list, runtime), runtime.onWarning)?.result;
  return result && inVersionOf(list, result);
}

function readUnlessDamaged(
  cache: ResultCache,
  key: Parameters<ResultCache['read']>[0],
  warn: RuntimeConfiguration['onWarning'],
): CachedAttachment | undefined {
  try {
    return cache.read(key);
  } catch (error) {
    warn?.(`goes on without a cached result: ${CniError.from(error).message}`);
    return undefined;
  }
}

/** As it is where it cannot be converted: the plugins say better what is wrong with it. */
function inVersionOf({ cniVersion }: NetworkList, result: JsonObject): JsonObject {
  try {
    return convertResult(result, versionOfResult(result, cniVersion), cniVersion);
  } catch {
    return result;
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

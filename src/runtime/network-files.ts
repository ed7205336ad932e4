import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type NetworkList, parseConflist, parsePlugin, withPlugins } from '../cni/conflist.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { lookUp } from '../cni/keys.ts';
import { withSystemError } from '../kernel/system-error.ts';

/** A network as it is configured on this node. */
export interface NetworkFile {
  readonly path: string;
  /** With the plugins of its folder, if it has one. */
  readonly list: NetworkList;
}

/** What is in a configuration directory, in the order in which libcni looks for a name: lists first, each by name. */
export interface NetworkFiles {
  readonly networks: readonly NetworkFile[];
  /** Files that are no configuration, and why. */
  readonly refused: readonly { readonly path: string; readonly reason: CniError }[];
}

/** No network of this name is configured; the message lists those there are. */
export class UnknownNetworkError extends CniError {
  constructor(name: string, folder: string, { networks, refused }: NetworkFiles) {
    const names = networks.map(({ path, list }) => `"${list.name}" (${path})`);
    const known = names.length === 0 ? 'there is none at all' : `there are: ${names.join(', ')}`;
    const details = refused.map(({ path, reason }) => `${path} could not be read: ${reason.message}`);
    super(ErrorCode.invalidConfiguration, `no network "${name}" in ${folder}; ${known}`, {
      details: details.join('; '),
    });
  }
}

/**
 * The network that a name or a path stands for: a path has a `/` in it, or ends as the files of networks do. Throws
 * UnknownNetworkError, CniError as `readNetworkFile`, and SystemError where the directory cannot be read.
 */
export function findNetwork(nameOrPath: string, folder: string): NetworkFile {
  if (nameOrPath.includes('/') || extensionOf(nameOrPath) !== undefined) return readNetworkFile(nameOrPath);
  const files = networkFiles(folder);
  const found = files.networks.find(({ list }) => list.name === nameOrPath);
  if (found === undefined) throw new UnknownNetworkError(nameOrPath, folder, files);
  return found;
}

/**
 * Every network of a configuration directory. A file that cannot be used keeps nobody from finding the others, as it
 * does in libcni. Throws SystemError; a directory that is not there has no networks.
 */
export function networkFiles(folder: string): NetworkFiles {
  const networks: NetworkFile[] = [];
  const refused: { path: string; reason: CniError }[] = [];
  for (const extensions of lookUpOrder) {
    for (const path of filesIn(folder, extensions)) {
      try {
        networks.push(readNetworkFile(path));
      } catch (error) {
        refused.push({ path, reason: CniError.from(error) });
      }
    }
  }
  return { networks, refused };
}

/**
 * Reads the configuration of one network. Plugins in `<folder>/<name of the network>/*.conf` follow those that the list
 * has itself, unless it says `loadOnlyInlinedPlugins` (libcni, `NetworkConfFromFile`). Throws CniError, with code 5
 * when the file cannot be read, else as `parseConflist`.
 */
export function readNetworkFile(path: string): NetworkFile {
  const list = named(path, parseConflist(textOf(path)));
  if (list.loadOnlyInlinedPlugins) return { path, list };
  const more = filesIn(join(dirname(path), list.name), ['.conf']).map((file) => parsePlugin(textOf(file)));
  if (list.plugins.length + more.length === 0) {
    const message = `network "${list.name}" (${path}) has no plugins, and there are none in ${join(dirname(path), list.name)}`;
    throw new CniError(ErrorCode.invalidConfiguration, message);
  }
  return { path, list: more.length === 0 ? list : withPlugins(list, [...list.plugins, ...more]) };
}

/** libcni looks through all the lists before it looks at single plugins. */
const lookUpOrder = [['.conflist'], ['.conf', '.json']];

function extensionOf(path: string): string | undefined {
  return lookUpOrder.flat().find((extension) => path.endsWith(extension));
}

function filesIn(folder: string, extensions: readonly string[]): string[] {
  const names = withSystemError('open', folder, () => {
    try {
      return readdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
  const paths = names.filter((name) => extensions.some((extension) => name.endsWith(extension)));
  return paths
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => !isFolder(path));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Named pipes and devices are never opened: somebody would have to write, and nobody does. */
function textOf(path: string): string {
  try {
    if (!statSync(path).isFile()) throw new Error('is no regular file');
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CniError(ErrorCode.ioFailure, `${path}: ${reason}`, { cause: error });
  }
}

/** A plugin's configuration may have no name, as that of loopback mostly: then the network is called after the type. */
function named(path: string, list: NetworkList): NetworkList {
  if (list.name !== '') return list;
  const [plugin] = list.plugins;
  const name = String((plugin && lookUp(plugin, 'type')) ?? path);
  return withPlugins({ ...list, name }, list.plugins);
}

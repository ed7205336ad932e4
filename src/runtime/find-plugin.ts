import { accessSync, constants, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { CniError } from '../cni/error.ts';
import { pluginFailure } from './plugin-outcome.ts';

/**
 * The path of a plugin's executable, as libcni's `FindInPath` looks for it: the first regular file of that name,
 * links followed. As there, one that cannot be executed is an error even when a later folder has a better one.
 *
 * @param cniPath folders with `:` between them, as in CNI_PATH; an empty one is the working directory
 * @throws CniError with code `pluginFailure`: not found, not executable, a directory, a broken link
 */
export function findPlugin(type: string, cniPath: string): string {
  const name = JSON.stringify(type);
  if (type === '') throw failure('no plugin type is given: "type" is missing or empty');
  if (type.includes('/'))
    throw failure(`the plugin type ${name} is a path: it must be a file name, searched in CNI_PATH`);
  if (cniPath === '') throw failure(`plugin ${name} cannot be searched for: CNI_PATH is empty`);
  const path = findPluginIfAny(type, cniPath);
  if (path !== undefined) return path;
  throw failure(`plugin ${name} was not found in ${foldersOf(cniPath).join(', ')} (CNI_PATH)`);
}

/**
 * The same for a file name that need not be there: undefined when nothing has it, in any of the folders. What has the
 * name and is no plugin is an error also here, since somebody meant it to be one.
 */
export function findPluginIfAny(type: string, cniPath: string): string | undefined {
  const name = JSON.stringify(type);
  const folders = foldersOf(cniPath);
  const obstacles: string[] = [];
  for (const folder of folders) {
    const path = `${folder.replace(/\/+$/, '')}/${type}`;
    const obstacle = obstacleAt(path);
    if (obstacle === undefined) {
      requireExecutable(name, path);
      return path;
    }
    if (obstacle !== '') obstacles.push(`${path} ${obstacle}`);
  }
  if (obstacles.length === 0) return undefined;
  throw failure(
    `plugin ${name} was not found in ${folders.join(', ')} (CNI_PATH), but ${obstacles.join(', and ')}`,
  );
}

function foldersOf(cniPath: string): string[] {
  return cniPath === '' ? [] : cniPath.split(':').map((folder) => (folder === '' ? '.' : folder));
}

/** Why this is no plugin, as the end of a sentence; empty when nothing is there, undefined for a regular file. */
function obstacleAt(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return undefined;
    return stats.isDirectory() ? 'is a directory' : 'is no regular file';
  } catch (error) {
    const link = linkAt(path);
    if (link !== undefined) return `is a broken link to ${link}`;
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? '' : `cannot be looked at (${code})`;
  }
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function requireExecutable(name: string, path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    const why = hasExecuteBit(statSync(path))
      ? 'its mode allows it, so look for a mount with noexec, or another owner'
      : `chmod +x ${path}`;
    throw failure(`plugin ${name} was found at ${path} but is not executable: ${why}`, error);
  }
}

function hasExecuteBit({ mode }: Stats): boolean {
  return (mode & 0o111) !== 0;
}

function failure(message: string, cause?: unknown): CniError {
  return new CniError(pluginFailure, message, { cause });
}

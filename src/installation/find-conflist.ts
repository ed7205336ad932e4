import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { withSystemError } from '../kernel/system-error.ts';
import { Refusal } from './refusal.ts';

/** Where runtimes look for conflists. */
export const defaultFolder = '/etc/cni/net.d';

/** What a runtime loads, in the order in which it does: by its ending, then by name. */
const endings = ['.conflist', '.conf', '.json'];

/** The folder that names are looked up in: $NETCONFPATH as with cnitool, else the default. */
export function conflistFolder(): string {
  return process.env.NETCONFPATH || defaultFolder;
}

/**
 * The absolute path of a conflist that was named by its path, or by the name of its file or of its network in
 * `folder`. A path goes first: what has a "/" in it, and what ends as conflists do and lies in the working directory.
 * One that need not be there may have the name of a file that is gone. Throws Refusal, SystemError.
 */
export function findConflist(named: string, folder: string, needNotExist = false): string {
  const isFile = endings.includes(extname(named));
  if (named.includes('/') || (isFile && existsSync(named))) return absolute(named);
  const file = join(folder, named);
  if (existsSync(file)) return absolute(file);
  const [path] = conflistsIn(folder).find(([, list]) => list?.name === named) ?? [];
  if (path !== undefined) return absolute(path);
  if (needNotExist && isFile) return absolute(file);
  throw new Refusal(`there is no conflist ${JSON.stringify(named)}`, [
    `looked for: ${isFile ? `the file ${resolve(named)}, ` : ''}the file ${file}, and a network of that name in ${folder}`,
  ]);
}

/** Every conflist of a folder, in the order in which a runtime tries them; undefined for one that it cannot read. */
export function conflistsIn(folder: string): [path: string, list: NetworkList | undefined][] {
  if (!existsSync(folder)) return [];
  const real = withSystemError('realpath', folder, () => realpathSync(folder));
  const names = withSystemError('open', folder, () => readdirSync(folder));
  const loaded = names.filter((name) => endings.includes(extname(name))).sort();
  const order = (name: string) => (extname(name) === '.conflist' ? 0 : 1);
  return loaded
    .sort((one, other) => order(one) - order(other))
    .map((name) => [join(real, name), readConflist(join(real, name))]);
}

/** Longer than any. */
const limit = 16 * 1024 * 1024;

/** Undefined when it is none, or cannot be read. */
export function readConflist(path: string): NetworkList | undefined {
  try {
    return parseConflist(readRegularFile(path, limit));
  } catch {
    return undefined;
  }
}

/** A file that is a link is kept and replaced as such; the folder is the real one, under whatever name it was given. */
function absolute(path: string): string {
  const full = resolve(path);
  const folder = dirname(full);
  return join(
    withSystemError('realpath', folder, () => realpathSync(folder)),
    basename(full),
  );
}

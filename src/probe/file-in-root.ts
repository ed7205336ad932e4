import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';

/**
 * Where a file of another root lies as we see it: symbolic links are followed as the ones inside would, and never out of the root,
 * which is somebody else's to fill. Throws what node:fs does, and Error for links without end.
 */
export function fileInRoot(root: string, path: string): string {
  let rest = path.split('/').filter(Boolean);
  let at: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...more] = rest;
    rest = more;
    if (name === '.') continue;
    if (name === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const here = posix.join(root, ...at, name);
    if (!lstatSync(here).isSymbolicLink()) {
      at = [...at, name];
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error(`${path} has more than ${MOST_LINKS} symbolic links`);
    const target = readlinkSync(here);
    if (target.startsWith('/')) at = [];
    rest = [...target.split('/').filter(Boolean), ...rest];
  }
  return posix.join(root, ...at);
}

const MOST_LINKS = 16;

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { JsonObject } from '../cni/json.ts';
import { dataDirsIn, logsIn } from './named-in-configuration.ts';

/** Where a scratch node has room for everything. */
const place = '/run/cni-debug-replay';

/**
 * The folders for state, and the logs, that documents name and a scratch node cannot have, such as what was right below
 * `/` on the node that the record is from; with the path that takes the place of each.
 */
export function movedPaths(documents: readonly JsonObject[]): ReadonlyMap<string, string> {
  const folders = documents.flatMap(dataDirsIn).map((path) => ({ path, folder: path }));
  const logs = documents.flatMap(logsIn).map((path) => ({ path, folder: dirname(path) }));
  const missing = [...folders, ...logs].filter(({ folder }) => !isMade(folder));
  for (const { folder } of missing) mkdirSync(place + folder, { recursive: true, mode: 0o755 });
  return new Map(missing.map(({ path }) => [path, place + path]));
}

function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return true;
  } catch {
    // EROFS, mostly; whatever it is, a plugin would meet it, too.
    return false;
  }
}

import type { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { KeyReader } from '../../src/cni/key-reader.ts';
import type { Problem } from '../../src/cni/problem.ts';
import { readHostRoutes } from '../../src/network/host-route.ts';

/** The keys of the `host-routes` plugin, with their defaults filled in. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Throws code 7 with the path of each value that is wrong. */
export function readSettings(document: JsonObject): Settings {
  const keys = new KeyReader(document);
  const settings = settingsFrom(keys);
  keys.throwProblems();
  return settings;
}

/** For GC: a key with a problem counts as absent. */
export function readUsableSettings(document: JsonObject): {
  settings: Settings;
  problems: readonly Problem[];
} {
  const keys = new KeyReader(document);
  return { settings: settingsFrom(keys), problems: keys.problems };
}

function settingsFrom(keys: KeyReader) {
  const list = keys.read(
    'routes',
    (value) => (value.isAbsent ? undefined : readHostRoutes(value)),
    undefined,
  );
  const settings = {
    /** The routes to keep; absent where a file says them. */
    routes: list?.routes,
    /** A file with the same list, which somebody else may rewrite. */
    peersFile: keys.read('peersFile', path, undefined),
    /** Where each network's list is remembered, so that what leaves it is removed. */
    dataDir: keys.read('dataDir', path, '/run/cni-debug/host-routes'),
  };
  keys.problems.push(...(list?.problems ?? []));
  const { routes, peersFile } = settings;
  keys.refuse(
    routes !== undefined && peersFile !== undefined,
    'peersFile',
    'peersFile: stands beside "routes", and one of them says what the routes are',
  );
  keys.refuse(
    routes === undefined && peersFile === undefined && keys.problems.length === 0,
    'routes',
    'routes: is missing, and so is "peersFile": one of them says what the routes are',
  );
  return settings;
}

function path(value: ConfigurationValue): string | undefined {
  const text = value.text();
  if (text === undefined || text.startsWith('/')) return text;
  throw value.error('is not an absolute path');
}

import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { CniError } from '../cni/error.ts';
import { newObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { latestVersion } from '../cni/version.ts';
import { execPlugin } from '../runtime/exec-plugin.ts';
import { findPlugin } from '../runtime/find-plugin.ts';
import { runProcess } from '../runtime/run-process.ts';

/** The executable of a plugin type, and what it says of itself. */
export type FoundPlugin =
  /** `complaint` is a whole sentence. */
  | { readonly kind: 'missing'; readonly complaint: string }
  | { readonly kind: 'not-executable'; readonly path: string; readonly stats: Stats }
  /** Only root may run it, and this user is somebody else. */
  | { readonly kind: 'unknown'; readonly path: string; readonly stats: Stats }
  | { readonly kind: 'broken'; readonly path: string; readonly stats: Stats; readonly complaint: string }
  | {
      readonly kind: 'sound';
      readonly path: string;
      readonly stats: Stats;
      readonly versions: readonly string[];
      /** It is this program, in any of its versions: what it delegates to is built in. */
      readonly isOurs: boolean;
    };

const timeoutMs = 5000;

/**
 * Looks for each type, and asks those that are there for their versions, all at once; of the types that we have, too,
 * whether they are ours.
 */
export async function surveyPlugins(
  types: Iterable<string>,
  pluginPath: string,
  ours: readonly string[],
): Promise<Map<string, FoundPlugin>> {
  const found = await Promise.all(
    [...new Set(types)].map(
      async (type) => [type, await look(type, pluginPath, ours.includes(type))] as const,
    ),
  );
  return new Map(found);
}

async function look(type: string, pluginPath: string, mayBeOurs: boolean): Promise<FoundPlugin> {
  const at = fileIn(type, pluginPath);
  if (at !== undefined && (at.stats.mode & 0o111) === 0) return { kind: 'not-executable', ...at };
  if (at !== undefined && !mayExecute(at.path)) return { kind: 'unknown', ...at };
  try {
    const path = findPlugin(type, pluginPath);
    return await ask(type, path, statSync(path), mayBeOurs);
  } catch (error) {
    return { kind: 'missing', complaint: CniError.from(error).message };
  }
}

async function ask(type: string, path: string, stats: Stats, mayBeOurs: boolean): Promise<FoundPlugin> {
  // As libcni asks, which fills in what some plugins demand.
  const environment = {
    ...process.env,
    CNI_CONTAINERID: 'dummy',
    CNI_NETNS: 'dummy',
    CNI_IFNAME: 'dummy',
    CNI_PATH: 'dummy',
  };
  const configuration = newObject([['cniVersion', latestVersion]]);
  const call = { type, path, command: 'VERSION', environment, configuration, timeoutMs } as const;
  const { outcome } = await execPlugin(call);
  if (!outcome.ok) return { kind: 'broken', path, stats, complaint: outcome.error.message };
  const answer = outcome.result ?? newObject();
  const listed = lookUp(answer, 'supportedVersions');
  if (Array.isArray(listed)) {
    const versions = listed.filter((version) => typeof version === 'string');
    return { kind: 'sound', path, stats, versions, isOurs: mayBeOurs && (await isOurs(type, path)) };
  }
  // As the reference's decoder: this one answer may go without the list.
  if (lookUp(answer, 'cniVersion') === '0.2.0')
    return { kind: 'sound', path, stats, versions: ['0.1.0', '0.2.0'], isOurs: false };
  const complaint = `plugin ${JSON.stringify(type)} (${path}) answered VERSION without "supportedVersions"`;
  return { kind: 'broken', path, stats, complaint };
}

/** By what it says of itself when it is called by hand: the reference's plugins say something else there. */
async function isOurs(type: string, path: string): Promise<boolean> {
  const { stderr } = await runProcess({ command: path, environment: { PATH: process.env.PATH }, timeoutMs });
  return stderr.bytes.toString('utf8').startsWith(`CNI plugin ${type} (cni-debug `);
}

/** What `findPlugin` would come to, also where it may not be executed. */
function fileIn(type: string, pluginPath: string): { path: string; stats: Stats } | undefined {
  if (type === '' || type.includes('/')) return undefined;
  for (const folder of pluginPath.split(':')) {
    const path = `${folder === '' ? '.' : folder.replace(/\/+$/, '')}/${type}`;
    try {
      const stats = statSync(path);
      if (stats.isFile()) return { path, stats };
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

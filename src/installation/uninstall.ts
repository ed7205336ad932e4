import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../kernel/whole-file.ts';
import type { Report } from './deed.ts';
import { emptyManifest, type Manifest, manifestPathIn, readManifest } from './manifest.ts';
import { realFolder, removeUnfinishedFolder, unmakeFolders, whileLocked } from './plugin-folder.ts';
import { executableName, libraryName } from './plugin-names.ts';
import { planRemoval, type RemovalPlan } from './removal-plan.ts';
import { exists, keep, leftoversIn, putBack, remove } from './replacement.ts';
import { planRestore, type RestorePlan } from './restore-plan.ts';
import { refuseIfCalled } from './still-called.ts';
import { reportOf } from './uninstall-report.ts';

export interface UninstallOrder {
  readonly folder: string;
  /** Paths of the conflists that are restored. */
  readonly into: readonly string[];
  /** Where a conflist is looked for that still calls what goes away. */
  readonly conflistFolder: string;
  /** Only the conflists are restored. */
  readonly keepPlugins: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** All that is to be done, before anything is. */
export interface UninstallPlan {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly keepPlugins: boolean;
  readonly conflists: readonly RestorePlan[];
  readonly plugins: readonly RemovalPlan[];
  readonly leftovers: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Makes of the folder of plugins, and of the conflists, what they were before install. The conflists come first, so
 * that none of them calls what is gone. Each step is done or not done, and a second run does what is left, so that
 * nothing has to be taken back. Rejects with Refusal, SystemError, LockTimeoutError.
 */
export async function uninstall(order: UninstallOrder): Promise<Report> {
  const folder = realFolder(order.folder);
  if (!order.dryRun) await removeUnfinishedFolder(folder);
  const locked = [...(exists(folder) ? [folder] : []), ...order.into.map(dirname)];
  const run = async () => {
    const plan = await planUninstall(order, folder);
    return order.dryRun ? reportOf(plan) : reportOf(plan, await carryOut(plan));
  };
  return order.dryRun ? run() : whileLocked(locked, run);
}

async function planUninstall(order: UninstallOrder, folder: string): Promise<UninstallPlan> {
  const known = exists(folder) ? readManifest(folder) : undefined;
  const manifest = known ?? emptyManifest;
  const conflists = order.into.map((path) => planRestore(path, manifest.conflists[path], order.force));
  const isFile = (name: string) => name === executableName || name === libraryName;
  // A link goes before what it points to.
  const names = Object.keys(manifest.plugins).sort(
    (one, other) => Number(isFile(one)) - Number(isFile(other)),
  );
  const plugins: RemovalPlan[] = [];
  for (const name of order.keepPlugins ? [] : names) {
    const kept = manifest.plugins[name];
    if (kept !== undefined) plugins.push(await planRemoval(join(folder, name), kept));
  }
  const going = plugins.filter(({ action }) => action === 'remove').map(({ name }) => name);
  if (!order.force) refuseIfCalled(order, Object.keys(manifest.conflists), going);
  const leftovers = exists(folder) ? leftoversIn(folder) : [];
  for (const path of order.into) leftovers.push(...leftoversIn(dirname(path), basename(path)));
  const { keepPlugins } = order;
  const warnings = keepPlugins ? [] : forgotten(order, manifest);
  return { folder, manifest, keepPlugins, conflists, plugins, leftovers, warnings };
}

function forgotten({ into }: UninstallOrder, manifest: Manifest): string[] {
  return Object.entries(manifest.conflists)
    .filter(([path]) => !into.includes(path))
    .map(([path, { backup = '' }]) => join(dirname(path), backup))
    .filter(exists)
    .map((backup) => `${backup} stays: its conflist was not named with --into`);
}

/** The folders that are gone with it. */
async function carryOut(plan: UninstallPlan): Promise<string[]> {
  const { folder, manifest, keepPlugins, conflists, plugins, leftovers } = plan;
  for (const path of leftovers) remove(path);
  for (const { action, path, backup, keepAs } of conflists) {
    if (keepAs !== undefined) keep(path, join(dirname(path), keepAs));
    if (action === 'restore') putBack(backup, path);
    if (action === 'forget') removeSynced(backup);
  }
  for (const { action, path, backup } of plugins) {
    if (action === 'restore') putBack(backup, path);
    if (action === 'forget') removeSynced(backup);
    if (action === 'remove') removeSynced(path);
  }
  if (keepPlugins || !exists(folder)) return [];
  const gone = await unmakeFolders(manifest.madeFolders);
  if (exists(manifestPathIn(folder))) removeSynced(manifestPathIn(folder));
  return gone;
}

function removeSynced(path: string): void {
  remove(path);
  syncFolder(dirname(path));
}

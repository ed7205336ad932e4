import { basename, dirname, join } from 'node:path';
import type { ConflistDeed, Deed, Report } from './deed.ts';
import { differenceLines } from './difference.ts';
import { leftover } from './install-report.ts';
import type { Kept } from './manifest.ts';
import type { RemovalPlan } from './removal-plan.ts';
import { exists } from './replacement.ts';
import type { RestorePlan } from './restore-plan.ts';
import type { UninstallPlan } from './uninstall.ts';

/** What a plan does, in its order; `gone` are the folders that went with it, undefined when nothing was done. */
export function reportOf(plan: UninstallPlan, gone?: readonly string[]): Report {
  const { folder, manifest, keepPlugins, conflists, plugins, leftovers, warnings } = plan;
  const going = keepPlugins ? [] : (gone ?? manifest.madeFolders);
  const folders: Deed[] = going.map((path) => ({
    path,
    action: 'removed',
    note: gone === undefined ? 'unless something else lies in it' : undefined,
  }));
  const names = keepPlugins ? [] : Object.entries(manifest.plugins);
  const former = names.flatMap(([name, kept]) => formerBackups(join(folder, name), kept));
  const formerConflists = conflists.flatMap(({ path }) => formerBackups(path, manifest.conflists[path]));
  return {
    files: [
      ...leftovers.map((path): Deed => ({ path, action: 'removed', note: leftover })),
      ...conflists.flatMap(conflistDeeds),
      ...plugins.flatMap(pluginDeeds),
      ...formerConflists,
      ...former,
      ...folders,
    ],
    conflists: conflists.map(conflistDeed),
    warnings,
    isAllGone: former.length + formerConflists.length === 0 && !plugins.some(isChanged),
  };
}

function isChanged({ action, isFound }: RemovalPlan): boolean {
  return action === 'leave' && !isFound;
}

function conflistDeeds({ path, action, backup, keepAs }: RestorePlan): Deed[] {
  if (action === 'nothing') return [{ path, action: 'unchanged', note: 'there is nothing to restore' }];
  if (action === 'forget')
    return [
      { path, action: 'unchanged', note: 'it says what it said before install' },
      { path: backup, action: 'removed' },
    ];
  const restored: Deed = { path, action: 'restored' };
  return keepAs === undefined ? [restored] : [{ path, action: 'kept', as: keepAs }, restored];
}

function pluginDeeds({ path, action, reason }: RemovalPlan): Deed[] {
  if (action === 'nothing') return [];
  if (action === 'leave') return [{ path, action: 'left', note: reason }];
  return [{ path, action: action === 'remove' ? 'removed' : 'restored' }];
}

/** Nobody knows any more what they were good for, and somebody may. */
function formerBackups(path: string, kept: Kept | undefined): Deed[] {
  const places = (kept?.formerBackups ?? []).map((name) => join(dirname(path), name));
  const note = `an earlier backup of ${basename(path)}`;
  return places.filter(exists).map((place) => ({ path: place, action: 'left', note }));
}

function conflistDeed({ path, action, backup, before, after }: RestorePlan): ConflistDeed {
  const difference = action === 'restore' ? differenceLines(path, before, after) : [];
  return { path, backup: action === 'nothing' ? undefined : backup, difference };
}

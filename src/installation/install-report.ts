import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConflistPlan } from './conflist-plan.ts';
import type { ConflistDeed, Deed, Report } from './deed.ts';
import { differenceLines } from './difference.ts';
import type { InstallPlan } from './install.ts';
import { executableName } from './plugin-names.ts';
import type { PluginPlan } from './plugin-plan.ts';

/** What a plan does, in its order. */
export function reportOf({ folder, made, leftovers, plugins, conflist }: InstallPlan): Report {
  return {
    files: [
      ...made.map((path): Deed => ({ path, action: 'made' })),
      ...leftovers.map((path): Deed => ({ path, action: 'removed', note: leftover })),
      ...plugins.flatMap(deedsOf),
      ...(conflist === undefined ? [] : conflistDeeds(conflist)),
    ],
    conflists: conflist === undefined ? [] : [conflistDeed(conflist)],
    warnings: trustWarnings(folder),
  };
}

export const leftover = 'left by a call that was killed';

function deedsOf({ path, wanted, action, backup }: PluginPlan): Deed[] {
  if (action !== 'put') return [{ path, action: 'unchanged' }];
  const put: Deed =
    wanted.kind === 'file' ? { path, action: 'copied' } : { path, action: 'linked', target: executableName };
  return backup === undefined ? [put] : [{ path, action: 'kept', as: backup }, put];
}

function conflistDeeds({ path, done, backup }: ConflistPlan): Deed[] {
  if (done === '') return [{ path, action: 'unchanged' }];
  const edited: Deed = { path, action: 'edited', note: done };
  return backup === undefined ? [edited] : [{ path, action: 'kept', as: backup }, edited];
}

function conflistDeed({ path, current, text, kept }: ConflistPlan): ConflistDeed {
  const backup = kept?.backup === undefined ? undefined : join(dirname(path), kept.backup);
  return { path, backup, difference: differenceLines(path, current.text, text) };
}

/** As src/kernel/libc.ts looks at it when a call begins. */
function trustWarnings(folder: string): string[] {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const isOurs = stats.uid === 0 || stats.uid === process.geteuid?.();
  const why = isOurs ? undefined : `belongs to user ${stats.uid}`;
  const complaint = why ?? ((stats.mode & 0o022) !== 0 ? 'is writable by its group or by others' : undefined);
  if (complaint === undefined) return [];
  return [
    `${folder} ${complaint}: koffi.node is not loaded from there, but unpacked for every call to the temporary directory (chown root ${folder}; chmod 0755 ${folder})`,
  ];
}

import { basename, dirname, join } from 'node:path';
import { look } from './content.ts';
import type { KeptPlugin } from './manifest.ts';
import { exists, isSameFile } from './replacement.ts';

/** How a name in the folder of plugins becomes what it was. */
export interface RemovalPlan {
  readonly name: string;
  readonly path: string;
  /** `forget`: what was there is there, and only the second name of it goes. */
  readonly action: 'nothing' | 'remove' | 'restore' | 'forget' | 'leave';
  /** The path of what was there. */
  readonly backup: string;
  /** For `leave`: why, as the end of a sentence. */
  readonly reason?: string | undefined;
  /** It was there before install. */
  readonly isFound: boolean;
}

/** Only looks. Throws SystemError. */
export async function planRemoval(path: string, kept: KeptPlugin): Promise<RemovalPlan> {
  const backup = join(dirname(path), kept.backup ?? `${basename(path)}.cni-debug-backup`);
  const isFound = kept.found === true;
  const plan = { name: basename(path), path, backup, isFound };
  const hasBackup = kept.backup !== undefined && exists(backup);
  if (isFound) return { ...plan, action: 'leave', reason: 'was there before install' };
  if (hasBackup && isSameFile(path, backup)) return { ...plan, action: 'forget' };
  const lying = await look(path);
  const isOurs = lying !== undefined && kept.contents.includes(lying.content);
  if (hasBackup && (isOurs || lying === undefined)) return { ...plan, action: 'restore' };
  if (hasBackup)
    return { ...plan, action: 'leave', reason: `was changed since; what was there before is ${backup}` };
  if (lying === undefined || lying.content === kept.original) return { ...plan, action: 'nothing' };
  return isOurs ? { ...plan, action: 'remove' } : { ...plan, action: 'leave', reason: 'was changed since' };
}

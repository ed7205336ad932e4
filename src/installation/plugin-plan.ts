import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withSystemError } from '../kernel/system-error.ts';
import { backupOf } from './backup-name.ts';
import { contentOfLink, type Lying, look } from './content.ts';
import type { KeptPlugin } from './manifest.ts';
import { executableName } from './plugin-names.ts';
import { exists, isSameFile } from './replacement.ts';

/** What is to lie under a name. */
export type Wanted =
  | { readonly kind: 'file'; readonly content: string; readonly mode: number }
  /** To the executable, which has this content. */
  | { readonly kind: 'link'; readonly to: string };

/** What becomes of a name in the folder of plugins. */
export interface PluginPlan {
  readonly name: string;
  readonly path: string;
  readonly wanted: Wanted;
  /** What is there now. */
  readonly lying: Lying | undefined;
  /** `blocked`: what is there is somebody else's. */
  readonly action: 'nothing' | 'put' | 'blocked';
  /** What is there is kept under this name. */
  readonly backup?: string | undefined;
  /** For `blocked`: why it is, as the end of a sentence. */
  readonly obstacle?: string | undefined;
  /** For `blocked`: whether `force` would keep it, and replace it. */
  readonly canForce?: boolean | undefined;
  /** What the manifest says of it from now on. */
  readonly kept: KeptPlugin;
}

/** Only looks. `force`: what is somebody else's is kept as a backup, and replaced. Throws SystemError. */
export async function planPlugin(
  path: string,
  wanted: Wanted,
  kept: KeptPlugin | undefined,
  force: boolean,
): Promise<PluginPlan> {
  const content = wanted.kind === 'file' ? wanted.content : contentOfLink(executableName);
  const lying = await look(path);
  const name = basename(path);
  const contents = [content, ...(kept?.contents ?? []).filter((other) => other !== content)].slice(0, most);
  const plan = { name, path, wanted, lying };
  const put = { ...plan, action: 'put' } as const;
  const known = { ...kept, found: undefined, contents };
  if (lying === undefined) return { ...put, kept: known };
  const isKnown = kept?.contents.includes(lying.content) === true;
  const isRight = isAsWanted(path, lying, wanted);
  if (isRight && kept === undefined)
    return { ...plan, action: 'nothing', kept: { contents: [lying.content], found: true } };
  if (isRight && isKnown) return { ...plan, action: 'nothing', kept };
  if (isRight)
    return { ...plan, action: 'nothing', kept: { ...kept, contents: [lying.content, ...contents] } };
  if (isKnown && kept.found !== true && !isUntouched(path, lying, kept)) return { ...put, kept: known };
  // A copy under another name is ours as well.
  const isOurs = isKnown || lying.content === (wanted.kind === 'file' ? content : wanted.to);
  const obstacle = obstacleOf(lying);
  if (obstacle !== undefined) return { ...plan, action: 'blocked', obstacle, kept: kept ?? { contents } };
  if (!isOurs && !force)
    return {
      ...plan,
      action: 'blocked',
      obstacle: 'is not ours',
      canForce: true,
      kept: kept ?? { contents },
    };
  const { name: backup, former } = backupOf(path, kept);
  const formerBackups = former.length === 0 ? undefined : former;
  return { ...put, backup, kept: { contents, original: lying.content, backup, formerBackups } };
}

/** Whether it is still so, a moment later; not by its bytes. Throws SystemError. */
export function isStillThere({ path, lying }: PluginPlan): boolean {
  const now = withSystemError('lstat', path, () => lstatSync(path, { throwIfNoEntry: false }));
  const before = lying?.stats;
  // Not by its ctime: taking away a second name of it, which a run that was killed has left, changes that.
  return now?.ino === before?.ino && now?.mtimeMs === before?.mtimeMs && now?.size === before?.size;
}

/** An executable of ours is known for as many upgrades as anybody leaves behind unfinished. */
const most = 8;

/** What was there before us is the same in all but its mode, and a run that was killed had not come to it. */
function isUntouched(path: string, { content }: Lying, { original, backup }: KeptPlugin): boolean {
  if (original !== content) return false;
  const aside = join(dirname(path), backup ?? '');
  return backup === undefined || !exists(aside) || isSameFile(aside, path);
}

function isAsWanted(path: string, { content, stats }: Lying, wanted: Wanted): boolean {
  if (wanted.kind === 'file')
    return content === wanted.content && (stats.mode & 0o7777) === wanted.mode && isOwned(stats);
  return content.startsWith('link:') && pointsBeside(path, content.slice('link:'.length));
}

/** To the executable in the same folder, however that is written. */
function pointsBeside(path: string, target: string): boolean {
  if (target === executableName) return true;
  if (basename(target) !== executableName) return false;
  const folder = dirname(path);
  try {
    return realpathSync(dirname(target.startsWith('/') ? target : join(folder, target))) === folder;
  } catch {
    return false;
  }
}

/** Only root can put this right. */
function isOwned({ uid, gid }: Stats): boolean {
  return process.geteuid?.() !== 0 || (uid === 0 && gid === 0);
}

function obstacleOf({ content }: Lying): string | undefined {
  if (content === 'folder') return 'is a folder';
  return content === 'special' ? 'is neither a file nor a link' : undefined;
}

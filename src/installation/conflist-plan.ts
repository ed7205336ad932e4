import { basename, dirname, join } from 'node:path';
import { CniError } from '../cni/error.ts';
import { SystemError } from '../kernel/system-error.ts';
import { type Backup, backupOf, freeName } from './backup-name.ts';
import { type Edit, editConflist, type Place } from './conflist-edit.ts';
import { type ConflistText, readConflistText } from './conflist-text.ts';
import { contentOfBytes } from './content.ts';
import { differenceLines } from './difference.ts';
import type { Kept } from './manifest.ts';
import { Refusal } from './refusal.ts';
import { exists, isSameFile } from './replacement.ts';
import { isSameDocument } from './same-json.ts';

/** What becomes of a conflist. */
export interface ConflistPlan {
  readonly path: string;
  /** `inserted "debug" behind "flannel"`; empty when there is nothing to do. */
  readonly done: string;
  readonly current: ConflistText;
  readonly text: string;
  /** What is there is kept under this name; undefined when the original is kept already. */
  readonly backup?: string | undefined;
  /** What the manifest says of it from now on. */
  readonly kept: Kept | undefined;
}

const most = 8;
const ENOENT = 2;

/**
 * Only looks. What we wrote ourselves is edited anew from the original, so that another place takes the place of the
 * one before. `force`: what somebody changed since is a new original. Throws Refusal, CniError and SystemError.
 */
export function planConflist(
  path: string,
  kept: Kept | undefined,
  type: string,
  place: Place,
  force: boolean,
): ConflistPlan {
  const current = readConflistText(path);
  if (current === undefined) throw new SystemError('open', ENOENT, path);
  const original = originalOf(path, kept, current);
  const { text, done } = edit(path, original, current, type, place);
  if (text === current.text) return { path, done: '', current, text, kept };
  const isOurs = kept?.contents.includes(current.content) === true;
  if (isOurs && original === undefined)
    throw new Refusal(`${path} is what install wrote, and what it was before is gone: ${kept?.backup}`, [
      'take by hand out of it what install put in, and try again',
    ]);
  const former = (kept?.contents ?? []).filter((content) => content !== contentOfBytes(text));
  const contents = [contentOfBytes(text), ...former].slice(0, most);
  const plan = { path, done, current, text };
  if (original !== undefined) return { ...plan, kept: { ...kept, contents } };
  const { name: backup, former: formerBackups } = newBackup(path, kept, current, force);
  const rest = formerBackups.length === 0 ? {} : { formerBackups };
  return { ...plan, backup, kept: { contents, original: current.content, backup, ...rest } };
}

/** What was there before us, when what is there now is what we wrote. */
function originalOf(path: string, kept: Kept | undefined, current: ConflistText): ConflistText | undefined {
  if (kept?.backup === undefined || !kept.contents.includes(current.content)) return undefined;
  return readConflistText(join(dirname(path), kept.backup));
}

/** One that says the same is replaced: a network that writes its conflist anew has done so. */
function newBackup(path: string, kept: Kept | undefined, current: ConflistText, force: boolean): Backup {
  const usual = kept?.backup ?? `${basename(path)}.cni-debug-backup`;
  const place = join(dirname(path), usual);
  const former = kept?.formerBackups ?? [];
  if (!exists(place) || isSameFile(place, path)) return { name: usual, former };
  const before = readConflistText(place)?.text ?? '';
  if (isSameDocument(before, current.text)) return { name: usual, former };
  if (force) return kept === undefined ? { name: freeName(path, 'backup'), former } : backupOf(path, kept);
  throw new Refusal(
    `${path} is neither what install wrote, nor what it was before, which is kept as ${usual}: somebody changed it since`,
    ['--force takes it as it is now, and keeps both'],
    differenceLines(path, before, current.text),
  );
}

function edit(
  path: string,
  original: ConflistText | undefined,
  current: ConflistText,
  type: string,
  place: Place,
): Edit {
  try {
    const edited = editConflist((original ?? current).text, type, place);
    if (edited.done !== '' || original === undefined) return edited;
    return { text: original.text, done: `as it was before install: "${type}" was there already` };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    throw new CniError(error.code, `${path}: ${error.message}`, { details: error.details, cause: error });
  }
}

import { basename, dirname, join } from 'node:path';
import { freeName } from './backup-name.ts';
import { readConflistText } from './conflist-text.ts';
import { differenceLines } from './difference.ts';
import type { Kept } from './manifest.ts';
import { Refusal } from './refusal.ts';
import { exists, isSameFile } from './replacement.ts';
import { isSameDocument } from './same-json.ts';

/** How a conflist becomes what it was. */
export interface RestorePlan {
  readonly path: string;
  /** `forget`: it says what it said before, and only the backup goes. */
  readonly action: 'nothing' | 'restore' | 'forget';
  /** The path of the original. */
  readonly backup: string;
  /** What is there now is kept under this name. */
  readonly keepAs?: string | undefined;
  readonly before: string;
  readonly after: string;
}

/** Only looks. `force`: what somebody changed since is kept aside. Throws Refusal, and SystemError. */
export function planRestore(path: string, kept: Kept | undefined, force: boolean): RestorePlan {
  const name = kept?.backup ?? `${basename(path)}.cni-debug-backup`;
  const backup = join(dirname(path), name);
  const current = readConflistText(path);
  const before = current?.text ?? '';
  const isOurs = current !== undefined && kept?.contents.includes(current.content) === true;
  if (!exists(backup)) {
    if (!isOurs || force) return { path, action: 'nothing', backup, before, after: before };
    throw new Refusal(`${path} is what install wrote, but ${backup}, which is what it was before, is gone`, [
      'take by hand out of it what install put in; --force leaves it as it is',
    ]);
  }
  const after = readConflistText(backup)?.text ?? '';
  const isSame = isSameFile(path, backup) || (current !== undefined && isSameDocument(before, after));
  if (isOurs) return { path, action: 'restore', backup, before, after };
  if (isSame) return { path, action: 'forget', backup, before, after: before };
  const keepAs = current === undefined ? undefined : freeName(path, 'changed');
  if (force) return { path, action: 'restore', backup, keepAs, before, after };
  const since = current === undefined ? 'was removed' : 'was changed';
  const elsewhere = 'it was installed with another --plugin-dir, which must be given here, too; or: ';
  const keeping = keepAs === undefined ? '' : `, and keeps it as ${keepAs}`;
  throw new Refusal(
    `${path} ${since} by somebody since install: what it was before is ${backup}`,
    [`${kept === undefined ? elsewhere : ''}--force puts that back${keeping}`],
    current === undefined ? [] : differenceLines(path, before, after),
  );
}

import { basename, dirname, join } from 'node:path';
import type { Kept } from './manifest.ts';
import { exists, isSameFile } from './replacement.ts';

/** What is kept of a file that is about to be replaced, by its name in the same folder. */
export interface Backup {
  readonly name: string;
  /** Those that there were before, and stay. */
  readonly former: readonly string[];
}

/**
 * A name that nobody has, with an ending that no runtime loads. One that is known and is the file itself, from a run
 * that was killed, serves again.
 */
export function backupOf(path: string, kept: Kept | undefined): Backup {
  const known = kept?.backup;
  const former = kept?.formerBackups ?? [];
  const placeOf = (name: string) => join(dirname(path), name);
  if (known !== undefined && (!exists(placeOf(known)) || isSameFile(placeOf(known), path)))
    return { name: known, former };
  return {
    name: freeName(path, 'backup'),
    former: known === undefined ? former : [...former, known],
  };
}

/** `<name>.cni-debug-<what>`, with a number where somebody else has that; the file itself may, from a run that was killed. */
export function freeName(path: string, what: string): string {
  for (let count = 1; ; count += 1) {
    const name = `${basename(path)}.cni-debug-${what}${count === 1 ? '' : `-${count}`}`;
    const place = join(dirname(path), name);
    if (!exists(place) || isSameFile(place, path)) return name;
  }
}

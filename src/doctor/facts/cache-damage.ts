import { type Stats, statSync } from 'node:fs';
import { isObject, parseJson } from '../../cni/json.ts';
import { readRegularFile } from '../../kernel/regular-file.ts';
import { SystemError } from '../../kernel/system-error.ts';
import type { Survey } from '../survey.ts';
import { Unseen } from '../unseen.ts';

/** A file among the cached attachments that no runtime can read as one. */
export interface DamagedCache {
  readonly path: string;
  /** When it was last written. */
  readonly since: Date;
  /** Bytes. */
  readonly size: number;
  /** What is wrong with it, with its path. */
  readonly reason: string;
  /** How it begins; empty where there is nothing, or it is no regular file. */
  readonly text: string;
}

/** Longer than what anybody caches. */
const longest = 16 * 1024 * 1024;

/** Those that are older than the minimum age; of what says nothing else of its attachment that is said. */
export function damagedCaches(survey: Survey): readonly DamagedCache[] {
  return survey.once('damaged caches', 'cached attachments', () =>
    survey
      .each(survey.cache().refused, ({ path, reason }) => damageAt(path, reason, survey))
      .filter((damage) => damage !== undefined),
  );
}

/** Throws Unseen for what this user may not read, and what may be whole in a moment. */
function damageAt(path: string, reason: string, survey: Survey): DamagedCache | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const damage = damageOf(stats, path, reason);
    // libcni does not rename a file into its place.
    if (damage !== undefined && !survey.isSettled(damage.since))
      throw new Unseen(path, 'is no cached attachment, and so young that it may just be being written');
    return damage;
  } catch (error) {
    if (error instanceof Unseen) throw error;
    throw new Unseen(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function damageOf(stats: Stats, path: string, reason: string): DamagedCache | undefined {
  const damage = { path, reason, since: stats.mtime, size: stats.size };
  if (!stats.isFile() || stats.size > longest) return { ...damage, text: '' };
  try {
    const text = readRegularFile(path, longest);
    if (isBareResult(text))
      throw new Unseen(
        path,
        'is the result of an attachment, and does not say of which: libcni wrote them so',
      );
    return { ...damage, text: text.slice(0, 80) };
  } catch (error) {
    // Removed between the two looks.
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As libcni did before 0.8; it still reads them. */
function isBareResult(text: string): boolean {
  try {
    const document = parseJson(text);
    return isObject(document) && document.kind === undefined && typeof document.cniVersion === 'string';
  } catch {
    return false;
  }
}

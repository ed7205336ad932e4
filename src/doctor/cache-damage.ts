import { type Stats, statSync } from 'node:fs';
import { isObject, parseJson } from '../cni/json.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { SystemError } from '../kernel/system-error.ts';
import type { Survey } from './survey.ts';
import { Unseen } from './unseen.ts';

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

/** What is younger than the minimum age may be in the middle of being written: libcni does not rename. */
export function damagedCaches(survey: Survey): readonly DamagedCache[] {
  return survey.once('damaged caches', 'cached attachments', () =>
    survey
      .each(survey.cache().refused, ({ path, reason }) => damageAt(path, reason))
      .filter((damage) => damage !== undefined)
      .filter(({ since }) => survey.isSettled(since)),
  );
}

/** Throws Unseen for what this user may not read. */
function damageAt(path: string, reason: string): DamagedCache | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return damageOf(stats, path, reason);
  } catch (error) {
    throw new Unseen(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function damageOf(stats: Stats, path: string, reason: string): DamagedCache | undefined {
  const damage = { path, reason, since: stats.mtime, size: stats.size };
  if (!stats.isFile() || stats.size > longest) return { ...damage, text: '' };
  try {
    const text = readRegularFile(path, longest);
    return isBareResult(text) ? undefined : { ...damage, text: text.slice(0, 80) };
  } catch (error) {
    // Removed between the two looks.
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As libcni wrote them before 0.8: it still reads them. */
function isBareResult(text: string): boolean {
  try {
    const document = parseJson(text);
    return isObject(document) && document.kind === undefined && typeof document.cniVersion === 'string';
  } catch {
    return false;
  }
}

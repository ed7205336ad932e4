import { lstatSync, statfsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { usageError } from './failure.ts';

/** What the words of `logs` name. */
export interface LogWords {
  /** What the records are to be about. */
  readonly about: string | undefined;
  /** Journals; `-` is stdin. */
  readonly files: readonly string[];
}

/**
 * A word that is a file, or is called like a journal, is one to read; any other is what the records are to be about. A
 * network namespace is a file, too, but none to read. Throws a usage error for two of the other kind.
 */
export function logWords(words: readonly string[]): LogWords {
  const files = words.filter(isJournal);
  const [about, another] = words.filter((word) => !isJournal(word));
  if (another !== undefined) {
    throw usageError(
      `${JSON.stringify(about)} and ${JSON.stringify(another)} are no files, and records can be about one of them only`,
      'a FILE must be there, or end in .ndjson, .log, .gz or .zst',
    );
  }
  return { about, files };
}

function isJournal(word: string): boolean {
  if (word === '-') return true;
  const kind = kindOf(word);
  if (kind === 'none') return /\.(ndjson|log|gz|zst)(\.\d+)?$/.test(basename(word));
  // Without a slash it is a pod's or a container's name first, though a folder may be called so.
  return !isNamespace(word) && (word.includes('/') || kind !== 'folder');
}

/** What we may not look at can only be said when it is opened. */
function kindOf(word: string): 'none' | 'folder' | 'file' {
  try {
    const stats = lstatSync(word, { throwIfNoEntry: false });
    return stats === undefined ? 'none' : stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return word.includes('/') ? 'file' : 'none';
  }
}

/** NSFS_MAGIC, statfs(2). */
const nsfs = 0x6e736673;

function isNamespace(path: string): boolean {
  // A link below /proc names a namespace in its own way, and `ip netns add` leaves an empty file where one has been.
  if (/^(\/proc\/|(\/var)?\/run\/(netns|docker\/netns)\/)/.test(path)) return !path.includes('/fd/');
  try {
    return statSync(path).isFile() && statfsSync(path).type === nsfs;
  } catch {
    return false;
  }
}

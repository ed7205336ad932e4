import { journalsOf } from '../node/journals.ts';
import { networkFiles } from '../runtime/network-files.ts';
import { type JournalFile, openJournal } from '../trace/journal-files.ts';
import { defaultJournal } from '../trace/journal-settings.ts';

/** A journal that is read, and perhaps followed. */
export interface LogSource {
  readonly path: string;
  /** Oldest first. */
  readonly files: readonly JournalFile[];
}

export interface LogSources {
  readonly sources: readonly LogSource[];
  /** What could not be opened, each as a sentence. */
  readonly refused: readonly string[];
  /** Where nothing is, though it was named. */
  readonly missing: readonly string[];
}

/**
 * Opens what was named; else the journal that `debug` writes by default, and those that the networks of this node name.
 * No file is in two of them.
 */
export function logSources(named: readonly string[], confDir: string): LogSources {
  const seen = new Set<string>();
  const refused: string[] = [];
  const sources = (named.length > 0 ? named : journalsOfNode(confDir)).map((path) => {
    const opened = openJournal(path);
    refused.push(...opened.refused.map(({ message }) => message));
    const files = opened.files.filter(({ identity }) => !seen.has(identity));
    for (const { identity } of files) seen.add(identity);
    return { path, files, isMissing: opened.files.length === 0 && opened.refused.length === 0 };
  });
  const missing = sources.filter(({ isMissing }) => isMissing).map(({ path }) => path);
  return { sources, refused, missing: named.length > 0 ? missing : [] };
}

function journalsOfNode(confDir: string): string[] {
  try {
    const named = networkFiles(confDir).networks.flatMap(({ list }) => journalsOf(list));
    return [...new Set([defaultJournal.path, ...named])];
  } catch {
    // Who may not read the configuration may still read the journal.
    return [defaultJournal.path];
  }
}

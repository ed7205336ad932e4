import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { withSystemError } from '../kernel/system-error.ts';
import type { LintedDirectory } from './context.ts';
import { type LintedFile, readLintedFile } from './linted-file.ts';
import { isLoaded } from './loaded-name.ts';

/** What there is to look at, and what of it could not be looked at, a line each. */
export interface Read {
  readonly files: readonly LintedFile[];
  readonly directory?: LintedDirectory;
  readonly unseen: readonly string[];
}

/** A single file, or all that a runtime loads of a directory, in its order. Throws SystemError for what is not there. */
export function readTarget(path: string): Read {
  const isDirectory = withSystemError('stat', path, () => statSync(path)).isDirectory();
  return isDirectory ? readDirectory(path) : { files: [readLintedFile(path)], unseen: [] };
}

function readDirectory(path: string): Read {
  const entries = withSystemError('readdir', path, () => readdirSync(path))
    .sort()
    .map((name) => ({ name, path: join(path, name), isDirectory: isDirectory(join(path, name)) }));
  const files: LintedFile[] = [];
  const unseen: string[] = [];
  for (const { path } of entries.filter(({ name, isDirectory }) => isLoaded(name) && !isDirectory)) {
    try {
      files.push(readLintedFile(path));
    } catch (error) {
      unseen.push(error instanceof Error ? error.message : String(error));
    }
  }
  const others = entries.filter(({ name, isDirectory }) => !isLoaded(name) || isDirectory);
  return { files, directory: { path, others }, unseen };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

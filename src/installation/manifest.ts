import { join } from 'node:path';
import { ConfigurationValue } from '../cni/configuration-value.ts';
import { parseJson } from '../cni/json.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { SystemError } from '../kernel/system-error.ts';

/** What was done to a name, and what was there before. A `content` is that of `look`. */
export interface Kept {
  /** What may lie there by our doing: the newest first, and those that it replaced. */
  readonly contents: readonly string[];
  /** What was there before and is kept in `backup`. */
  readonly original?: string | undefined;
  /** A file beside it. */
  readonly backup?: string | undefined;
  /** Backups before that, which nothing is restored from: somebody replaced what we had put there. */
  readonly formerBackups?: readonly string[] | undefined;
}

/** A name in the folder of plugins. */
export interface KeptPlugin extends Kept {
  /** It was there before us, and is not ours to take away. */
  readonly found?: boolean | undefined;
}

/**
 * What install has done, or is about to do: it is written before anything else, so that whoever comes after a
 * `kill -9` knows what is ours.
 */
export interface Manifest {
  /** Folders that were not there before, the outermost first. */
  readonly madeFolders: readonly string[];
  /** By name in the folder. */
  readonly plugins: Readonly<Record<string, KeptPlugin>>;
  /** By absolute path. */
  readonly conflists: Readonly<Record<string, Kept>>;
}

export const emptyManifest: Manifest = { madeFolders: [], plugins: {}, conflists: {} };

export function manifestPathIn(folder: string): string {
  return join(folder, '.cni-debug.json');
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ version: 1, ...manifest }, null, 2)}\n`;
}

/** Undefined when install was never here. Throws SystemError, and Error that names the file when it makes no sense. */
export function readManifest(folder: string): Manifest | undefined {
  const path = manifestPathIn(folder);
  try {
    return parseManifest(readRegularFile(path, limit));
  } catch (error) {
    if (error instanceof SystemError && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    if (error instanceof SystemError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}, which says what install has put there, makes no sense: ${reason}`, {
      cause: error,
    });
  }
}

const limit = 1024 * 1024;

function parseManifest(text: string): Manifest {
  const root = new ConfigurationValue('', parseJson(text));
  const version = root.key('version').integer();
  if (version !== 1) throw root.key('version').error('is not 1: it was written by another version');
  return {
    madeFolders: textsOf(root.key('madeFolders')),
    plugins: Object.fromEntries(
      entriesOf(root.key('plugins')).map(([name, value]) => {
        const found = value.key('found').flag();
        return [name, { ...readKept(value), ...(found === undefined ? {} : { found }) }];
      }),
    ),
    conflists: Object.fromEntries(
      entriesOf(root.key('conflists')).map(([path, value]) => [path, readKept(value)]),
    ),
  };
}

function readKept(value: ConfigurationValue): Kept {
  const original = value.key('original').text();
  const backup = value.key('backup').textThat(isName, 'is not the name of a file');
  const former = value.key('formerBackups');
  return {
    contents: textsOf(value.key('contents')),
    ...(original === undefined ? {} : { original }),
    ...(backup === undefined ? {} : { backup }),
    ...(former.isAbsent ? {} : { formerBackups: textsOf(former) }),
  };
}

function entriesOf(value: ConfigurationValue): [string, ConfigurationValue][] {
  return Object.entries(value.object() ?? {}).map(([key, own]) => [
    key,
    new ConfigurationValue(`${value.path}[${JSON.stringify(key)}]`, own),
  ]);
}

function textsOf(value: ConfigurationValue): string[] {
  return value.elements().map((element) => {
    const text = element.text();
    if (text === undefined) throw element.error('is missing');
    return text;
  });
}

const isName = (text: string): boolean => text !== '' && !text.includes('/') && text !== '.' && text !== '..';

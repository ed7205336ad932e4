import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { CniError } from '../cni/error.ts';
import { lookUp } from '../cni/keys.ts';
import { isVersion, type Version } from '../cni/version.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { SystemError } from '../kernel/system-error.ts';
import { LintDocument } from './document.ts';
import type { JsonDefect } from './json-defect.ts';
import { extensionOf } from './loaded-name.ts';

/** A file that a runtime loads by its name, as far as it could be read. */
export interface LintedFile {
  /** As the user named it, or below the directory that he named. */
  readonly path: string;
  readonly name: string;
  /** `.conflist` is read as a list of plugins; `.conf` and `.json` as the one plugin of its network. */
  readonly isList: boolean;
  /** Absent when it is not there, or is a broken link. */
  readonly stats?: Stats | undefined;
  readonly text: string;
  readonly document?: LintDocument;
  /** Why there is no document: the file cannot be read by anybody, or is no JSON. */
  readonly obstacle?: string;
  readonly defect?: JsonDefect;
  /** What a runtime makes of it; absent when it refuses to load it. */
  readonly network?: NetworkList;
  /** Why it does. */
  readonly refusal?: string;
}

/** Longer than any configuration; the positions in a file take a hundred times its room. */
const limit = 1024 * 1024;

/** Reads and parses a file. Throws SystemError when it is there and this user may not read it. */
export function readLintedFile(path: string): LintedFile {
  const name = basename(path);
  const base = { path, name, isList: extensionOf(name) === '.conflist', stats: statsOf(path) };
  try {
    return { ...base, ...parse(path, readRegularFile(path, limit), base.isList) };
  } catch (error) {
    if (error instanceof SystemError && (error.code === 'EACCES' || error.code === 'EPERM')) throw error;
    return { ...base, text: '', obstacle: error instanceof Error ? error.message : String(error) };
  }
}

/** What is asked of the plugins, also where the file says it in a way that no runtime takes. */
export function versionOfFile({ network, document }: LintedFile): Version {
  const named = document === undefined ? undefined : lookUp(document.value, 'cniVersion');
  return network?.cniVersion ?? (isVersion(named) ? named : '0.1.0');
}

function parse(path: string, text: string, isList: boolean) {
  const document = LintDocument.read(text);
  if (!(document instanceof LintDocument)) return { text, defect: document, refusal: document.message };
  const refusal = wrongKind(document, isList);
  if (refusal !== undefined) return { text, document, refusal };
  try {
    const network = parseConflist(text);
    if (network.plugins.length > 0 || pluginFolderOf(path, network.name).length > 0)
      return { text, document, network };
    return { text, document, refusal: 'it has no plugins' };
  } catch (error) {
    return { text, document, refusal: CniError.from(error).message };
  }
}

/** A runtime goes by the name of the file, and not by what is in it. */
function wrongKind({ value }: LintDocument, isList: boolean): string | undefined {
  const isPlugin = lookUp(value, 'type') !== undefined;
  if (!isList && !isPlugin) return 'it has no "type"';
  if (isList && isPlugin && lookUp(value, 'plugins') === undefined) return 'it has no "plugins"';
  return undefined;
}

/** The files of plugins that follow those of a list, unless that says `loadOnlyInlinedPlugins`. */
export function pluginFolderOf(path: string, network: string): string[] {
  try {
    return readdirSync(join(dirname(path), network)).filter((name) => extensionOf(name) === '.conf');
  } catch {
    return [];
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

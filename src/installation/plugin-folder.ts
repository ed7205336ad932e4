import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { lockFile } from '../kernel/file-lock.ts';
import { withSystemError } from '../kernel/system-error.ts';
import { syncFolder } from '../kernel/whole-file.ts';
import { emptyManifest, manifestPathIn, manifestText } from './manifest.ts';
import { asideOf, exists } from './replacement.ts';

/** How long another install may be at it; it is copying 100 MB. */
const lockTimeoutMs = 60_000;

/** The real path of a folder, of which the end may not be there yet. Throws SystemError. */
export function realFolder(path: string): string {
  const full = resolve(path);
  if (exists(full)) return withSystemError('realpath', full, () => realpathSync(full));
  return join(realFolder(dirname(full)), basename(full));
}

/** Runs it while nobody else who asks is in these folders, which are there. Throws LockTimeoutError, SystemError. */
export async function whileLocked<T>(folders: readonly string[], run: () => Promise<T>): Promise<T> {
  const [folder, ...rest] = [...new Set(folders)].sort();
  if (folder === undefined) return run();
  const fd = lockFolder(folder);
  try {
    return await whileLocked(rest, run);
  } finally {
    closeSync(fd);
  }
}

/** The folder itself, so that no file is left for it. Whoever waited may find another one in its place. */
function lockFolder(path: string): number {
  for (;;) {
    const fd = withSystemError('open', path, () => openSync(path, FOLDER_FLAGS));
    try {
      lockFile(fd, { path, timeoutMs: lockTimeoutMs });
      if (fstatSync(fd).ino === statSync(path, { throwIfNoEntry: false })?.ino) return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

/**
 * Makes the folder, and those above it, with a manifest that says so: they are made aside, and are there all at once.
 * What was made, the outermost first; nothing when the folder is there. Throws LockTimeoutError, SystemError.
 */
export async function makeFolder(path: string): Promise<string[]> {
  for (;;) {
    const [top, ...inner] = missingFolders(path);
    if (top === undefined) return [];
    const made = await whileLocked([dirname(top)], async () => makeAside(top, [top, ...inner]));
    if (made) return [top, ...inner];
  }
}

/** False when somebody was faster. */
function makeAside(top: string, folders: readonly string[]): boolean {
  if (exists(top)) return false;
  const aside = asideOf(top, 'new');
  removeFolder(aside);
  try {
    for (const folder of folders) {
      const place = join(aside, relative(top, folder));
      withSystemError('mkdir', folder, () => mkdirSync(place));
      // Whatever the umask is.
      chmodSync(place, 0o755);
    }
    const path = folders.at(-1) ?? top;
    const manifest = manifestPathIn(join(aside, relative(top, path)));
    const text = manifestText({ ...emptyManifest, madeFolders: folders });
    withSystemError('write', path, () => writeFileSync(manifest, text));
    withSystemError('rename', top, () => renameSync(aside, top));
  } catch (error) {
    removeFolder(aside);
    throw error;
  }
  syncFolder(dirname(top));
  return true;
}

/**
 * Takes away those of the folders that have nothing else in them: they go all at once, and with them the manifest,
 * which is the last that lies there. What was taken away, the outermost first. Throws LockTimeoutError, SystemError.
 */
export async function unmakeFolders(made: readonly string[]): Promise<string[]> {
  const [top] = emptyFolders(made);
  if (top === undefined) return [];
  return whileLocked([dirname(top)], async () => {
    const going = emptyFolders(made);
    return going[0] === top && unmakeAside(top, going) ? going : [];
  });
}

/** From the innermost outwards, as long as there is nothing but the manifest, or the folder before. */
function emptyFolders(made: readonly string[]): string[] {
  const going: string[] = [];
  for (const folder of [...made].reverse()) {
    const name = basename(going[0] ?? manifestPathIn(folder));
    if (!exists(folder) || readdirSync(folder).some((file) => file !== name)) break;
    going.unshift(folder);
  }
  return going;
}

/** False when somebody has put something there just now. */
function unmakeAside(top: string, folders: readonly string[]): boolean {
  const aside = asideOf(top, 'old');
  removeFolder(aside);
  withSystemError('rename', top, () => renameSync(top, aside));
  const places = folders.map((folder) => join(aside, relative(top, folder)));
  rmSync(manifestPathIn(places.at(-1) ?? aside), { force: true });
  try {
    for (const place of places.reverse()) rmdirSync(place);
  } catch {
    withSystemError('rename', top, () => renameSync(aside, top));
    return false;
  }
  syncFolder(dirname(top));
  return true;
}

/** What making or unmaking a folder has left, when it was killed. Throws LockTimeoutError, SystemError. */
export async function removeUnfinishedFolder(path: string): Promise<void> {
  const [top] = missingFolders(path);
  if (top === undefined) return;
  const asides = [asideOf(top, 'new'), asideOf(top, 'old')];
  if (!asides.some(exists)) return;
  await whileLocked([dirname(top)], async () => asides.forEach(removeFolder));
}

/** The outermost first. */
export function missingFolders(path: string): string[] {
  return exists(path) ? [] : [...missingFolders(dirname(path)), path];
}

/** Of the names that we give: nobody else's folder is called so. */
function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;

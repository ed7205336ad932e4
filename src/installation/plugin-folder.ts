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
import { emptyManifest, manifestPathIn, manifestText } from './manifest.ts';
import { asideOf, exists, syncFolder } from './replacement.ts';

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
 * What was made, the outermost first; nothing when the folder is there. Throws SystemError.
 */
export async function makeFolder(path: string): Promise<string[]> {
  const missing = missingFolders(path);
  const [top] = missing;
  if (top === undefined) return [];
  return whileLocked([dirname(top)], async () => {
    if (exists(top)) return makeFolder(path);
    const aside = asideOf(top, 'new');
    removeFolder(aside);
    try {
      for (const folder of missing) {
        const place = join(aside, relative(top, folder));
        withSystemError('mkdir', folder, () => mkdirSync(place));
        // Whatever the umask is.
        chmodSync(place, 0o755);
      }
      const manifest = manifestPathIn(join(aside, relative(top, path)));
      withSystemError('write', path, () =>
        writeFileSync(manifest, manifestText({ ...emptyManifest, madeFolders: missing })),
      );
      withSystemError('rename', top, () => renameSync(aside, top));
    } catch (error) {
      removeFolder(aside);
      throw error;
    }
    syncFolder(top);
    return missing;
  });
}

/**
 * Takes away those of the folders that have nothing else in them: they go all at once, and with them the manifest,
 * which is the last that lies there. What was taken away.
 */
export function unmakeFolders(made: readonly string[]): string[] {
  const going: string[] = [];
  for (const folder of [...made].reverse()) {
    const inner = going[0];
    const name = inner === undefined ? basename(manifestPathIn(folder)) : basename(inner);
    if (!isEmptyBut(folder, name)) break;
    going.unshift(folder);
  }
  const [top] = going;
  if (top === undefined) return [];
  const aside = asideOf(top, 'old');
  removeFolder(aside);
  withSystemError('rename', top, () => renameSync(top, aside));
  const places = going.map((folder) => join(aside, relative(top, folder)));
  rmSync(manifestPathIn(places.at(-1) ?? aside), { force: true });
  try {
    for (const place of places.reverse()) rmdirSync(place);
  } catch {
    // Somebody was faster, and has put something there.
    withSystemError('rename', top, () => renameSync(aside, top));
    return [];
  }
  syncFolder(top);
  return going;
}

function isEmptyBut(folder: string, name: string): boolean {
  return exists(folder) && readdirSync(folder).every((file) => file === name);
}

/** What making or unmaking a folder has left, when it was killed. */
export function removeUnfinishedFolder(path: string): void {
  const [top = path] = missingFolders(path);
  for (const what of ['new', 'old'] as const) removeFolder(asideOf(top, what));
}

/** The outermost first. */
function missingFolders(path: string): string[] {
  return exists(path) ? [] : [...missingFolders(dirname(path)), path];
}

/** Of the names that we give: nobody else's folder is called so. */
function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

// In both of Linux's numberings on the machines we run on; node:fs has no constant for it.
const O_CLOEXEC = 0o2000000;
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;

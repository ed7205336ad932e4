import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** Linux's __O_TMPFILE, which node:fs has no name for. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** In memory first: a configuration may hold secrets. */
const folders = ['/run', '/dev/shm', '/tmp', '/var/tmp'];

/**
 * A file without a name that holds `content`, opened for reading at its start; or undefined where no folder can
 * have one. Executables get their stdin so, since the pipes of node:child_process are sockets, and a socket cannot
 * be opened again: the shell plugins' `config=$(cat /dev/stdin)` would fail with ENXIO. A file also needs nobody to
 * feed it, and a process that does not read it breaks nothing. The caller closes it.
 */
export function openStdinFile(content: string | Buffer): number | undefined {
  for (const folder of folders) {
    const file = openUnnamed(folder);
    if (file === undefined) continue;
    try {
      writeWhole(file, Buffer.from(content));
      // Opened again: for reading only, and with a position of its own.
      return openSync(`/proc/self/fd/${file}`, constants.O_RDONLY);
    } catch {
      // A full disk, mostly; the next folder may be on another.
    } finally {
      closeSync(file);
    }
  }
  return undefined;
}

function openUnnamed(folder: string): number | undefined {
  try {
    return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch {
    return undefined;
  }
}

function writeWhole(file: number, content: Buffer): void {
  let rest = content;
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
}

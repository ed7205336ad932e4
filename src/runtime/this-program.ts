import { type Stats, statSync } from 'node:fs';

/** The file that this process runs: the compiled executable, or under Node the script. */
export function programPath(): string {
  const script = process.argv[1] ?? '';
  // Where a compiled executable has its script, in itself.
  return script.startsWith('/$bunfs/') ? process.execPath : script;
}

/** Whether a path is that very file, under whatever name. A copy of it is another file, and may be of another version. */
export function isThisProgram(path: string): boolean {
  const [one, other] = [path, programPath()].map(statsOf);
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** Undefined also when it was replaced while we run: then what lies there now is another file. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder of executables that play plugins; for `using folder = new PluginFolder()`. */
export class PluginFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'cni-debug-plugins-'));

  /** Writes a shell script and returns its path. */
  script(name: string, body: string): string {
    return this.file(name, `#!/bin/sh\n${body}\n`);
  }

  file(name: string, content: string | Uint8Array, mode = 0o755): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  /** What a script left in the folder. */
  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Whether a process of this ID is there, and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

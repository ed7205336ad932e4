import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isLater, processStart } from './process-start.ts';

/** A container that containerd runs: a folder of its runtime says so. */
export interface ContainerdTask {
  readonly id: string;
  /** Of containerd: `k8s.io`, `default`, `moby`. */
  readonly namespace: string;
  /** Its first process, as this node's /proc has it. */
  readonly pid: number;
}

/**
 * The tasks of every containerd whose state is below `/run`: `/run/containerd`, but also that of k3s and the like; those
 * whose ID begins so. What cannot be read is not there.
 */
export function containerdTasks(run = '/run', beginning = ''): ContainerdTask[] {
  return taskFolders(run, stateDepth).flatMap((folder) =>
    foldersIn(folder).flatMap((namespace) => {
      const ids = foldersIn(join(folder, namespace)).filter((id) => id.startsWith(beginning));
      return ids.flatMap((id) => {
        const pid = pidIn(join(folder, namespace, id));
        return pid === undefined ? [] : { id, namespace, pid };
      });
    }),
  );
}

/** `/run/k3s/containerd/io.containerd.runtime.v2.task` is at 3. */
const stateDepth = 4;
const taskFolder = /^io\.containerd\.runtime\.v\d+\.(task|linux)$/;

function taskFolders(folder: string, depth: number): string[] {
  return foldersIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (taskFolder.test(name)) return [path];
    return depth > 1 ? taskFolders(path, depth - 1) : [];
  });
}

function foldersIn(folder: string): string[] {
  let found: Dirent[];
  try {
    found = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  // No links: they may lead anywhere.
  return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** The shim of runc writes it. Undefined while it starts, when it has ended, and where another has its number since then. */
function pidIn(folder: string): number | undefined {
  try {
    const path = join(folder, 'init.pid');
    const pid = Number(readFileSync(path, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    const start = processStart(pid);
    return start === undefined || isLater(start, statSync(path).mtime) ? undefined : pid;
  } catch {
    return undefined;
  }
}

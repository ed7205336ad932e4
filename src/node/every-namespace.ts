import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { identity } from '../runtime/find-namespace.ts';

/** A network namespace that something on this node keeps alive. */
export interface KnownNamespace {
  /** `device:inode`, as `identity` says it. */
  readonly id: string;
  /** One that can be opened from here. */
  readonly path: string;
  /** Where it is mounted, as `ip netns` and runtimes do it. */
  readonly mounts: readonly string[];
  /** Of the processes that are in it. */
  readonly pids: readonly number[];
}

/**
 * All network namespaces that a process is in, has open, or that are mounted: in this mount namespace, and in those of
 * other processes. `refused` says of what that could not be learnt; another user's processes mostly. Never throws.
 */
export function everyNamespace(): { namespaces: KnownNamespace[]; refused: string[] } {
  const found = new Map<string, { path: string; mounts: string[]; pids: number[] }>();
  const refused = new Map<string, number>();
  const at = (path: string) => {
    const id = identity(path);
    if (id === path) return undefined;
    const known = found.get(id) ?? { path, mounts: [], pids: [] };
    found.set(id, known);
    return known;
  };
  const attempt = (what: string, look: () => void) => {
    try {
      look();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It has ended meanwhile.
      if (code === 'ENOENT' || code === 'ESRCH') return;
      refused.set(`${what}: ${code}`, (refused.get(`${what}: ${code}`) ?? 0) + 1);
    }
  };
  const seenMounts = new Set<string>();
  for (const pid of processes()) {
    const folder = `/proc/${pid}`;
    attempt('the namespace of a process', () => {
      readlinkSync(`${folder}/ns/net`);
      at(`${folder}/ns/net`)?.pids.push(pid);
    });
    attempt('the mounts of a process', () => {
      const mountNamespace = readlinkSync(`${folder}/ns/mnt`);
      if (seenMounts.has(mountNamespace)) return;
      const mounts = netnsMounts(readFileSync(`${folder}/mountinfo`, 'utf8'));
      seenMounts.add(mountNamespace);
      for (const mount of mounts) {
        const isHere = mountNamespace === readlinkSync('/proc/self/ns/mnt');
        at(isHere ? mount : `${folder}/root${mount}`)?.mounts.push(mount);
      }
    });
    attempt('what a process has open', () => {
      for (const fd of readdirSync(`${folder}/fd`)) {
        attempt('what a process has open', () => {
          const path = `${folder}/fd/${fd}`;
          if (readlinkSync(path).startsWith('net:[')) at(path);
        });
      }
    });
  }
  return {
    namespaces: [...found].map(([id, known]) => ({ id, ...known })),
    refused: [...refused].map(([what, times]) => `${what} (${times} times): run it as root`),
  };
}

function processes(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // This one first: of two paths to one namespace ours is the shorter one.
  return [process.pid, ...pids.map(Number).filter((pid) => pid !== process.pid)];
}

/** Lines of proc_pid_mountinfo(5): the fourth field is `net:[4026531840]`, the fifth the place. */
function netnsMounts(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [, , , root = '', place = ''] = line.split(' ');
    return root.startsWith('net:[') ? [unescapeOctal(place)] : [];
  });
}

/** Spaces and the like are `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

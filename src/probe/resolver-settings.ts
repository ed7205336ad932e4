import { parseResolvConf } from '../ipam/resolv-conf.ts';
import { readRegularFile } from '../kernel/regular-file.ts';
import { everyNamespace } from '../node/every-namespace.ts';
import { fileInRoot } from './file-in-root.ts';
import type { ProbeRun } from './probe-run.ts';

/** Which resolvers a container asks, and who says so. */
export interface ResolverSettings {
  readonly nameservers: readonly string[];
  /** `/etc/resolv.conf of process 1234`, `its result` */
  readonly source: string;
  /** The file, as it stands; absent where there is none. */
  readonly text?: string;
}

/**
 * As resolv.conf(5) of a process in the container's namespace has it; without a process, as its result says. Undefined when nobody
 * is there who could ask. Throws Error when the file cannot be read.
 */
export function resolverSettings({ pod, subject }: ProbeRun): ResolverSettings | undefined {
  const found = everyNamespace().namespaces.find(({ id }) => id === pod.id);
  const [pid] = (found?.pids ?? []).filter((one) => one !== process.pid);
  if (pid !== undefined) {
    const source = `/etc/resolv.conf of process ${pid}`;
    const text = readOf(pid);
    if (text === undefined) return { nameservers: [], source };
    const { nameservers } = parseResolvConf(text);
    const named = Array.isArray(nameservers) ? nameservers.map(String) : [];
    return { nameservers: named.slice(0, MAXNS), source, text };
  }
  if (subject.nameservers.length === 0) return undefined;
  return { nameservers: subject.nameservers.slice(0, MAXNS), source: 'the result of its attachment' };
}

/** As many as a resolver looks at: resolv.h */
const MAXNS = 3;
const LONGEST = 65_536;

/** Undefined when there is no such file. */
function readOf(pid: number): string | undefined {
  try {
    return readRegularFile(fileInRoot(`/proc/${pid}/root`, '/etc/resolv.conf'), LONGEST);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

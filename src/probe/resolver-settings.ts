import { parseResolvConf } from '../ipam/resolv-conf.ts';
import { containerFile } from './container-file.ts';
import type { ProbeRun } from './probe-run.ts';
import { ndotsOf, type SearchList, searchListOf } from './search-list.ts';

/** Which resolvers a container asks, and who says so. */
export interface ResolverSettings extends SearchList {
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
export function resolverSettings(run: ProbeRun): ResolverSettings | undefined {
  const file = containerFile(run, '/etc/resolv.conf');
  if (file !== undefined) {
    const { text = '' } = file;
    const { nameservers } = parseResolvConf(text);
    const named = Array.isArray(nameservers) ? nameservers.map(String) : [];
    return { ...file, ...searchListOf(text), nameservers: named.slice(0, MAXNS) };
  }
  const { nameservers, search, options } = run.subject.dns;
  if (nameservers.length === 0) return undefined;
  const source = 'the result of its attachment';
  return { nameservers: nameservers.slice(0, MAXNS), search, ndots: ndotsOf(options), source };
}

/** As many as a resolver looks at: resolv.h */
const MAXNS = 3;

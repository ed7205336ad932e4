import { readFileSync } from 'node:fs';
import { ENOENT } from './errno.ts';
import { type Namespace, runIn } from './netns.ts';
import { SystemError, withSystemError } from './system-error.ts';

/** What the kernel has counted in a namespace, by the names of nstat(8): `IpForwDatagrams`, `Ip6InNoRoutes`. */
export type NetworkCounters = ReadonlyMap<string, number>;

/** The counters of IP, ICMP, UDP and TCP of a namespace, or of our own. Throws SystemError. */
export function readNetworkCounters(namespace?: Namespace): NetworkCounters {
  return namespace === undefined ? read() : runIn(namespace, read);
}

/** /proc/net would be the namespace of the main thread. */
const FOLDER = '/proc/thread-self/net';

function read(): NetworkCounters {
  return new Map([...pairs('snmp'), ...pairs('netstat'), ...lines('snmp6')]);
}

/** proc(5): a line of names, and a line of numbers, both behind the same word. */
function* pairs(file: string): Generator<[string, number]> {
  const all = textOf(file).trim().split('\n');
  for (let index = 0; index + 1 < all.length; index += 2) {
    const [head = '', ...names] = all[index]?.split(/\s+/) ?? [];
    const [, ...values] = all[index + 1]?.split(/\s+/) ?? [];
    const prefix = head.replace(/:$/, '');
    for (const [at, name] of names.entries()) yield [prefix + name, Number(values[at])];
  }
}

/** A name and a number on each line; there is no such file without IPv6. */
function* lines(file: string): Generator<[string, number]> {
  for (const line of unlessMissing(() => textOf(file)).split('\n')) {
    const [name, value] = line.trim().split(/\s+/);
    if (name !== undefined && value !== undefined) yield [name, Number(value)];
  }
}

function textOf(file: string): string {
  const path = `${FOLDER}/${file}`;
  return withSystemError('open', path, () => readFileSync(path, 'utf8'));
}

function unlessMissing(look: () => string): string {
  try {
    return look();
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return '';
    throw error;
  }
}

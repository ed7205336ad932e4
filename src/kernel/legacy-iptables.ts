import { readFileSync } from 'node:fs';
import { ENOENT } from './errno.ts';
import { openInetSocket } from './inet/inet-socket.ts';
import { decodeLegacyRules, INFO_SIZE, type LegacyRule, SIZEOF_GETINFO } from './legacy-rule.ts';
import { getsockopt } from './libc.ts';
import { type Namespace, runIn } from './netns.ts';
import { SystemError, withSystemError } from './system-error.ts';

/**
 * All rules of iptables-legacy in a namespace, or in our own; none where it is not used there. A table that is asked for is
 * made, so only those are that the kernel says are there. Throws SystemError and MalformedMessageError.
 */
export function listLegacyRules(family: 4 | 6, namespace?: Namespace): LegacyRule[] {
  const read = (): LegacyRule[] => {
    const tables = tableNames(family);
    if (tables.length === 0) return [];
    const socket = openInetSocket('icmp', family);
    try {
      return tables.flatMap((table) => rulesOf(socket.fd, family, table));
    } finally {
      socket.close();
    }
  };
  return namespace === undefined ? read() : runIn(namespace, read);
}

function tableNames(family: 4 | 6): string[] {
  const path = `/proc/thread-self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`;
  try {
    const text = withSystemError('open', path, () => readFileSync(path, 'utf8'));
    return text.split('\n').filter((name) => name !== '');
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return [];
    throw error;
  }
}

function rulesOf(fd: number, family: 4 | 6, table: string): LegacyRule[] {
  const level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6;
  const info = named(table, SIZEOF_GETINFO);
  check(getsockopt(fd, level, SO_GET_INFO, info), table);
  const size = info.readUInt32LE(INFO_SIZE);
  const entries = named(table, ENTRIES + size);
  entries.writeUInt32LE(size, 32);
  check(getsockopt(fd, level, SO_GET_ENTRIES, entries), table);
  return decodeLegacyRules(table, family, info, entries.subarray(ENTRIES));
}
/** struct ipt_get_entries: a name, a size, then entries at a multiple of eight. */
const ENTRIES = 40;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES, of both families */
const SO_GET_INFO = 64;
const SO_GET_ENTRIES = 65;

function named(table: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(table, 0, 31);
  return bytes;
}

function check(answer: number, table: string): void {
  if (answer < 0) throw new SystemError('getsockopt', -answer, `table ${table} of iptables-legacy`);
}

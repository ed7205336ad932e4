import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SystemError, withSystemError } from '../../kernel/system-error.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

/** A socket of the node that takes what comes to a port. */
export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  readonly ip: Uint8Array;
  readonly port: number;
  readonly inode: string;
  readonly source: string;
  /** The line of it, word for word. */
  readonly line: string;
}

/** Who has a socket open. */
export interface SocketHolder {
  readonly pid: number;
  readonly command: string;
}

/** Every such socket in the namespace of this process; /proc/net would be that of its main thread. Throws Unseen. */
export function listeners(survey: Survey): readonly Listener[] {
  return survey.once('listeners', 'sockets of the node', () =>
    (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((name) => {
      const path = `/proc/thread-self/net/${name}`;
      return see(path, () =>
        textOf(path)
          .split('\n')
          .slice(1)
          .flatMap((line) => listenerIn(name, line)),
      );
    }),
  );
}

/** Undefined where it is no process that we may look at. */
export function holderOf(inode: string): SocketHolder | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== `socket:[${inode}]`) continue;
        return { pid: Number(pid), command: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
      }
    } catch {
      // It has ended, or is another user's: then nobody is known.
    }
  }
  return undefined;
}

/** A kernel without IPv6 has no such file. */
function textOf(path: string): string {
  try {
    return withSystemError('open', path, () => readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** TCP_LISTEN of include/net/tcp_states.h; 7, TCP_CLOSE, is a UDP socket that is connected to nobody. */
const states = { tcp: '0A', udp: '07' };

/** proc_pid_net(5): `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, addresses in the host's words. */
function listenerIn(name: 'tcp' | 'tcp6' | 'udp' | 'udp6', line: string): Listener[] {
  const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
  const protocol = name.startsWith('tcp') ? 'tcp' : 'udp';
  const [address = '', port = ''] = local.split(':');
  if (state !== states[protocol] || !/:0000$/.test(remote) || inode === '0') return [];
  const words = address.match(/.{8}/g) ?? [];
  const ip = Buffer.concat(words.map((word) => Buffer.from(word, 'hex').reverse()));
  const source = `/proc/net/${name}`;
  return [{ protocol, ip, port: Number.parseInt(port, 16), inode, source, line: line.trim() }];
}

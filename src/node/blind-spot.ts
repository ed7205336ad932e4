import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CURRENT } from '../kernel/netns.ts';
import { identity } from '../runtime/find-namespace.ts';

/**
 * Why containers of this node may live where this process cannot see them: it is in the network of a container itself, or
 * in a container that shares the node's network and has its own processes. Undefined when nothing says so, and for whoever
 * may not look at the processes of others. Throws what node:fs does.
 */
export function blindSpot(): string | undefined {
  const first = networkOfFirst();
  if (first !== undefined && first !== identity(CURRENT))
    return 'this is not the network of the node, which process 1 is in: run it outside of the container';
  return hiddenListener();
}

function networkOfFirst(): string | undefined {
  try {
    return identity('/proc/1/ns/net');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

/** A runtime listens in the network of its node, and whoever is in that sees this, but not who it is. */
function hiddenListener(): string | undefined {
  const [first] = unheld(listeners());
  // One that has ended meanwhile, or was handed on, is not hidden.
  const [listener] = unheld(listeners().filter(({ inode }) => inode === first?.inode));
  return (
    listener &&
    `the process that listens on ${listener.path} cannot be seen from here, nor can containers: run it on the node itself, or with the processes of the node (hostPID)`
  );
}

interface Listener {
  readonly inode: string;
  readonly path: string;
}

/** __SO_ACCEPTCON of include/uapi/linux/net.h, as net/unix/af_unix.c prints it. */
const LISTENS = '00010000';

/** The oldest ones are those of the daemons. */
const mostListeners = 8;

/** Of Unix sockets in proc_net(5): those of the network this process is in. */
function listeners(): Listener[] {
  const lines = readFileSync('/proc/thread-self/net/unix', 'utf8').split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, , , flags, , , inode, path]) =>
      flags === LISTENS && inode !== undefined && path !== undefined ? [{ inode, path }] : [],
    )
    .sort((one, other) => Number(one.inode) - Number(other.inode))
    .slice(0, mostListeners);
}

/** Those that no process has open. None when of one process that cannot be told. */
function unheld(listeners: readonly Listener[]): Listener[] {
  const left = new Map(listeners.map((listener) => [`socket:[${listener.inode}]`, listener]));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (left.size === 0) break;
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) left.delete(targetOf(`/proc/${pid}/fd/${fd}`));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ESRCH') return [];
    }
  }
  return [...left.values()];
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed meanwhile.
    return '';
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';

/** A plugin that runs right now, as its environment says. */
export interface CallAtWork {
  readonly pid: number;
  readonly command: string;
  /** Empty for a GC or STATUS. */
  readonly containerID: string;
  readonly ifName: string;
}

/**
 * The plugins that run on this node, whoever has started them: what belongs to their container may be half made, or half
 * removed. Throws SystemError where it cannot be told of all processes, as for anybody but root.
 */
export function callsAtWork(): CallAtWork[] {
  return processes().flatMap((pid) => {
    const variables = environmentOf(pid);
    const command = variables.get('CNI_COMMAND') ?? '';
    if (command === '') return [];
    const [containerID = '', ifName = ''] = ['CNI_CONTAINERID', 'CNI_IFNAME'].map((key) =>
      variables.get(key),
    );
    return [{ pid, command, containerID, ifName }];
  });
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** proc_pid_environ(5): `NAME=value`, with a NUL behind each. Those of CNI, of a process that has not ended. */
function environmentOf(pid: number): Map<string, string> {
  const path = `/proc/${pid}/environ`;
  try {
    const text = withSystemError('read', path, () => readFileSync(path, 'utf8'));
    if (!text.includes('CNI_COMMAND=')) return new Map();
    return new Map(
      text.split('\0').map((pair) => {
        const equals = pair.indexOf('=');
        return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
      }),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return new Map();
    throw error;
  }
}

import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** How long a command may take to end after it was asked to, before it is killed. */
const graceMs = 3000;

/**
 * Runs a command as a shell does, and resolves to its exit status: 128 and the signal that ended it, 127 when it is not
 * found, 126 when it cannot be executed. Signals that are meant for us go to the command. On a terminal it may take its
 * time to answer Ctrl-C; elsewhere it is killed when it does not.
 */
export function runForeground(name: string, start: () => ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let killing: NodeJS.Timeout | undefined;
    const passOn = (signal: NodeJS.Signals) => {
      child.kill(signal);
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      killing ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
    };
    const finish = () => {
      clearTimeout(killing);
      for (const signal of passedOn) process.off(signal, passOn);
    };
    let child: ChildProcess;
    try {
      child = start();
    } catch (error) {
      const status = statusOfError(name, error);
      return status === undefined ? reject(error) : resolve(status);
    }
    for (const signal of passedOn) process.on(signal, passOn);
    child.once('error', (error) => {
      finish();
      const status = statusOfError(name, error);
      if (status === undefined) reject(error);
      else resolve(status);
    });
    child.once('exit', (status, signal) => {
      finish();
      resolve(signal === null ? (status ?? 0) : statusOfSignal(signal));
    });
  });
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Undefined for what is not the command's fault. */
function statusOfError(name: string, error: unknown): number | undefined {
  const { code } = error as NodeJS.ErrnoException;
  const status = code === 'ENOENT' ? 127 : code === 'EACCES' || code === 'ENOEXEC' ? 126 : undefined;
  if (status !== undefined)
    process.stderr.write(`cni-debug exec: ${name}: ${status === 127 ? 'not found' : 'cannot be executed'}\n`);
  return status;
}

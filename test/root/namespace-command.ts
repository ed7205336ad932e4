import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openNamespace, runIn } from '../../src/kernel/netns.ts';
import type { Answer } from '../program.ts';

export interface Command {
  readonly environment?: Record<string, string>;
  readonly stdin?: string;
  /** Called when the process has been started, before this function returns. */
  readonly started?: (child: ChildProcess) => void;
}

/**
 * Runs a command in a network namespace to its end; what it prints. Throws when it fails. The child starts inside:
 * no `ip netns exec`, whose mount namespace and own process would cost more than the plugins under test.
 */
export function commandIn(netns: string, ...[command = '', ...args]: string[]): string {
  const { status, stdout, stderr, error } = inside(netns, () =>
    spawnSync(command, args, { encoding: 'utf8' }),
  );
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}

/** Starts a program in a network namespace; it has been started when this returns. The environment is all it has. */
export function startIn(netns: string, argv: readonly string[], request: Command = {}): Promise<Answer> {
  const { environment = {}, stdin = '', started } = request;
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = inside(netns, () => spawn(command, args, { env: environment }));
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    // A plugin that is killed, or that needs no stdin, does not read it.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, ...output }));
    if (child.pid !== undefined) started?.(child);
  });
}

/** Runs a synchronous function in a network namespace. */
export function inside<T>(netns: string, run: () => T): T {
  const namespace = openNamespace(netns);
  try {
    return runIn(namespace, run as () => never);
  } finally {
    namespace.close();
  }
}

import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { digest } from '../network/digest.ts';
import { type ContainerdTask, containerdTasks } from './containerd-tasks.ts';

/** A container's network namespace, found by what a person calls it. */
export interface FoundNamespace {
  /** As CNI_NETNS has it. */
  readonly netns: string;
  /** The ID of the container, where it is known by that. */
  readonly containerID?: string;
}

/** Nothing has this name, or more than one does. */
export class NamespaceNotFoundError extends Error {
  override readonly name = 'NamespaceNotFoundError';

  constructor(
    message: string,
    /** How to find it nevertheless, a line each. */
    readonly advice: readonly string[],
  ) {
    super(message);
  }
}

/**
 * What a person means by: a path (anything with a `/`), `pid:1234`, the name of a namespace as `ip netns` has it, a
 * process ID, or the ID of a containerd task or the beginning of one. A path and `pid:` need not be there: a DEL may be
 * about what is gone. Throws NamespaceNotFoundError.
 */
export function findNamespace(text: string, run = '/run'): FoundNamespace {
  if (text.includes('/')) return { netns: resolve(text) };
  const [, pid] = /^pid:(\d+)$/.exec(text) ?? [];
  if (pid !== undefined) return { netns: netnsOf(Number(pid)) };
  const candidates = [...tasks(text, run), ...process(text), ...named(text)];
  const [first, ...others] = candidates;
  if (first === undefined) throw notFound(text);
  const id = identity(first.netns);
  if (others.every(({ netns }) => identity(netns) === id)) return first;
  const known = candidates.map(({ netns, containerID = '' }) => `${containerID} ${netns}`.trim());
  throw new NamespaceNotFoundError(
    `${JSON.stringify(text)} is the beginning or name of several: ${known.join(', ')}`,
    ['say more of the ID, pid:NUMBER for a process, or the path of a namespace'],
  );
}

/** The container ID that cnitool gives to what is in a namespace: the same tool may DEL what we have added. */
export function cnitoolContainerID(netns: string): string {
  return `cnitool-${digest('sha512', netns).slice(0, 20)}`;
}

/** `device:inode` of the namespace behind a path, or the path itself where there is none. */
export function identity(netns: string): string {
  const stats = statSync(netns, { throwIfNoEntry: false });
  return stats === undefined ? netns : `${stats.dev}:${stats.ino}`;
}

/** The names that `ip netns` shows. Throws what node:fs does. */
export function namedNamespaces(): string[] {
  return readdirSync('/var/run/netns').sort();
}

function named(text: string): FoundNamespace[] {
  // Not below /run, which is the same: the container ID that cnitool derives is that of the path in its manual.
  const netns = `/var/run/netns/${text}`;
  // What is nothing, or dots, names a folder.
  return statSync(netns, { throwIfNoEntry: false })?.isFile() ? [{ netns }] : [];
}

function process(text: string): FoundNamespace[] {
  const netns = netnsOf(Number(text));
  return /^\d+$/.test(text) && existsSync(netns) ? [{ netns }] : [];
}

function tasks(text: string, run: string): FoundNamespace[] {
  if (text === '') return [];
  const found = containerdTasks(run, text);
  const exact = found.filter(({ id }) => id === text);
  return (exact.length > 0 ? exact : found).map(byTask);
}

function byTask({ id, pid }: ContainerdTask): FoundNamespace {
  return { netns: netnsOf(pid), containerID: id };
}

function netnsOf(pid: number): string {
  return `/proc/${pid}/ns/net`;
}

function notFound(text: string): NamespaceNotFoundError {
  return new NamespaceNotFoundError(
    `${JSON.stringify(text)} is no namespace (ip netns), no process, and no container that containerd runs`,
    [
      'of another runtime, ask for the PID and give that:',
      `  crictl inspect --output go-template --template '{{.info.pid}}' ${text}`,
      `  docker inspect --format '{{.State.Pid}}' ${text}      (podman inspect likewise)`,
    ],
  );
}

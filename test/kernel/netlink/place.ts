import { expect } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';
import { type NetlinkSocket, openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { type Namespace, openNamespace } from '../../../src/kernel/netns.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';

/** A namespace and a socket in it. */
export interface Place {
  scratch: ScratchNamespace;
  namespace: Namespace;
  socket: NetlinkSocket;
  close(): void;
}

export function place(...lines: string[]): Place {
  const scratch = scratchNamespace(...lines);
  const namespace = openNamespace(scratch.path);
  const socket = openRouteSocket(namespace);
  return {
    scratch,
    namespace,
    socket,
    close() {
      socket.close();
      namespace.close();
      scratch.remove();
    },
  };
}

/** What the kernel refuses, as the operator reads it. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(NetlinkError);
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

/**
 * The message of what a piece of code throws in a process that may not change the network; it has `socket`, of the
 * namespace, and `kernel`, all that the named file exports.
 */
export function refusalToNobody(scratch: ScratchNamespace, file: string, code: string): string {
  const source = `${import.meta.dir}/../../../src/kernel`;
  const program = `
    const kernel = await import(${JSON.stringify(`${source}/netlink/${file}`)});
    const { openRouteSocket } = await import(${JSON.stringify(`${source}/netlink/socket.ts`)});
    const { openNamespace } = await import(${JSON.stringify(`${source}/netns.ts`)});
    const socket = openRouteSocket(openNamespace(${JSON.stringify(scratch.path)}));
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    try { ${code}; console.log('it was not refused'); } catch (error) { console.log(String(error)); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  return (stdout + stderr).trim();
}

export const ip = (text: string): Uint8Array =>
  text.includes(':') ? new Uint8Array(ipv6Bytes(text)) : Uint8Array.from(text.split('.'), Number);

/** `10.22.0.5/16` or `fd00:22::5/64`. */
export function prefix(text: string): { ip: Uint8Array; prefixLength: number } {
  const [address = '', length] = text.split('/');
  return { ip: ip(address), prefixLength: Number(length) };
}

function ipv6Bytes(text: string): number[] {
  const [head = [], tail = []] = text.split('::').map((part) =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          const value = Number.parseInt(group, 16);
          return [value >> 8, value & 0xff];
        }),
  );
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { commandIn, inside } from './namespace-command.ts';

const program = join(import.meta.dir, 'peer.ts');

/** A TCP server in a namespace that tells each client which address it came from. For `using`. */
export class Server {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when it listens, on all addresses of both families. */
  static async start(netns: string): Promise<Server> {
    const server = new Server(inside(netns, () => spawn(process.execPath, [program, 'serve'])));
    await once(server.child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    return server;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

/** The address that the server at `host` sees a client in this namespace come from, IPv4 as such. */
export function addressSeenBy(host: string, netns: string, port = 7000): string {
  return commandIn(netns, process.execPath, program, 'ask', host, String(port)).replace(/^::ffff:/, '');
}

/** Whether one echo request is answered; the wait is long where an answer is expected, so that only loss fails. */
export function answersPing(netns: string, address: string, waitSeconds = 20): boolean {
  try {
    commandIn(netns, 'ping', '-n', '-c1', `-W${waitSeconds}`, address);
    return true;
  } catch (error) {
    if (/100% packet loss/.test(String(error))) return false;
    throw error;
  }
}

/** Where no answer is expected: two requests in less than a second. */
export function isSilent(netns: string, address: string): boolean {
  try {
    commandIn(netns, 'ping', '-n', '-c2', '-i0.2', '-W0.4', address);
    return false;
  } catch (error) {
    if (/100% packet loss/.test(String(error))) return true;
    throw error;
  }
}

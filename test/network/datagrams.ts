import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** What hears datagrams in a namespace, on one port of all addresses. */
export interface Listener {
  /** The address that a datagram with this text came from; undefined when it does not come. */
  source(text: string, waitMs?: number): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** @param groups multicast addresses to join, each with the address or the scope of the interface it is joined on */
export async function listen(
  namespace: string,
  port: number,
  groups: [string, string][] = [],
): Promise<Listener> {
  const code = `
    const { createSocket } = require('node:dgram');
    const groups = ${JSON.stringify(groups)};
    for (const type of ['udp4', 'udp6']) {
      const socket = createSocket({ type, ipv6Only: type === 'udp6' });
      socket.on('message', (message, { address }) => console.log(message + ' ' + address));
      socket.bind(${port}, () => {
        for (const [group, place] of groups) if (group.includes(':') === (type === 'udp6')) socket.addMembership(group, place);
        console.log('ready ' + type);
      });
    }`;
  const child = inside(namespace, code);
  const sources = new Map<string, string>();
  let errors = '';
  child.stdout?.on('data', (data) => {
    for (const line of String(data).trim().split('\n')) {
      const [text = '', source = ''] = line.split(' ');
      sources.set(line.startsWith('ready') ? line : text, source);
    }
  });
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  const until = async (text: string, waitMs: number): Promise<string | undefined> => {
    for (let waited = 0; waited < waitMs && !sources.has(text); waited += 10) await Bun.sleep(10);
    return sources.get(text);
  };
  const listener = {
    source: (text: string, waitMs = 10_000) => until(text, waitMs),
    async stop(): Promise<void> {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
  for (const type of ['udp4', 'udp6']) {
    if ((await until(`ready ${type}`, 30_000)) !== undefined) continue;
    await listener.stop();
    throw new Error(`nothing listens in ${namespace}: ${errors}`);
  }
  return listener;
}

/** Sends one datagram. `via` is the address or scope of the interface that multicast leaves by. */
export function send(
  namespace: string,
  { from, to, port, text, via }: { from: string; to: string; port: number; text: string; via?: string },
): void {
  const code = `
    const socket = require('node:dgram').createSocket(${JSON.stringify(to.includes(':') ? 'udp6' : 'udp4')});
    socket.bind(0, ${JSON.stringify(from)}, () => {
      const via = ${JSON.stringify(via ?? null)};
      if (via !== null) socket.setMulticastInterface(via);
      socket.send(${JSON.stringify(text)}, ${port}, ${JSON.stringify(to)}, (error) => { if (error) throw error; socket.close(); });
    });`;
  const argv = ['netns', 'exec', namespace, process.execPath, '-e', code];
  const { status, stderr } = spawnSync('ip', argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`sending to ${to} failed: ${stderr}`);
}

function inside(namespace: string, code: string): ChildProcess {
  return spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

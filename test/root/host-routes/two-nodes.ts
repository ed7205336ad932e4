import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ours } from '../implementations.ts';
import { commandIn, inside } from '../namespace-command.ts';
import { type Pod, Site } from '../site.ts';

// biome-ignore lint/suspicious/noExplicitAny: a conflist and an answer are read as JSON.
export type Json = any;

/** A node at 200.0.0.20 and fd00:200::20, one link away from another at .30, as in a rack. For `using`. */
export class TwoNodes {
  readonly here = new Site();
  readonly there = new Site();

  constructor() {
    const peer = this.there.node.slice('/run/netns/'.length);
    this.here.onNode('ip', 'link', 'add', 'enp8s0', 'type', 'veth', 'peer', 'name', 'enp8s0', 'netns', peer);
    for (const [site, last] of [[this.here, 20] as const, [this.there, 30] as const]) {
      site.onNode('ip', 'addr', 'add', `200.0.0.${last}/24`, 'dev', 'enp8s0');
      site.onNode('ip', 'addr', 'add', `fd00:200::${last}/64`, 'dev', 'enp8s0', 'nodad');
      site.onNode('ip', 'link', 'set', 'enp8s0', 'up');
    }
  }

  [Symbol.dispose](): void {
    this.here[Symbol.dispose]();
    this.there[Symbol.dispose]();
  }
}

/** A file of conflists/ with state and logs of the site's own; `change` sees each plugin of it. */
export function conflist(site: Site, name: string, change: (plugin: Json) => void = () => {}): Json {
  const file = join(import.meta.dir, '../../../conflists', name);
  const list = JSON.parse(readFileSync(file, 'utf8'));
  const all = list.plugins.flatMap((plugin: Json) => [plugin, ...[plugin.delegate ?? []].flat()]);
  for (const plugin of all) {
    if (plugin.ipam) plugin.ipam.dataDir = site.leases;
    if (plugin.type === 'host-routes') plugin.dataDir = dataDirOf(site);
    const { log: cniOutput, journal: path } = site.scratch;
    if (plugin.type === 'debug') Object.assign(plugin, { cniOutput, journal: { path } });
    change(plugin);
  }
  return list;
}

export function dataDirOf(site: Site): string {
  return join(site.scratch.folder, 'host-routes');
}

/** What the list answered on the node: a result, `null`, or an error. Only our plugins are found. */
export function chain(site: Site, command: string, list: Json, pod: Pod, result: unknown = null): Json {
  const runtime = {
    containerID: pod.name,
    netns: pod.netns,
    ifName: 'eth0',
    args: '',
    cniPath: ours.folder,
    cacheDir: join(site.scratch.folder, 'cache'),
    timeoutMs: 60_000,
  };
  const words = [command, JSON.stringify(list), JSON.stringify(runtime), JSON.stringify(result)];
  return JSON.parse(site.onNode(process.execPath, join(import.meta.dir, '../chain-run.ts'), ...words));
}

/** The routes of a protocol on a node, as `ip route` shows them, without its padding. */
export function routesOf(site: Site, protocol = '67', family: '-4' | '-6' = '-4'): string[] {
  const text = site.onNode('ip', '-N', family, 'route', 'show', 'proto', protocol);
  return text
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '))
    .filter((line) => line !== '');
}

const program = join(import.meta.dir, 'page.ts');

/** Serves a page to whoever comes, by both families. For `using`. */
export async function servePage(netns: string): Promise<Disposable> {
  const child = inside(netns, () => spawn(process.execPath, [program, 'serve']));
  await once(child.stdout, 'data');
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

export function fetchPage(host: string, netns: string): string {
  return commandIn(netns, process.execPath, program, 'fetch', host).replace('::ffff:', '');
}

import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseIp } from '../../src/cni/address.ts';
import { openInetSocket } from '../../src/kernel/inet/inet-socket.ts';
import { type Flow, newCookie } from '../../src/path/flow.ts';
import { watchPackets } from '../../src/path/packet-watch.ts';
import { requires } from '../requirements.ts';
import { PathSite } from './path-site.ts';

const source = parseIp('10.1.0.5') as Uint8Array;
const target = parseIp('198.51.100.2') as Uint8Array;

describe.if(requires('root', 'ip', 'nft'))('a watch of packets', () => {
  test('has a table that nobody else can change, and that is gone with the process, killed or not', async () => {
    using site = new PathSite();
    const before = site.tables();
    const child = spawn(process.execPath, [join(import.meta.dir, 'watch-forever.ts'), site.node.path]);
    await once(child.stdout, 'data');
    const watching = site.tables().filter((table) => !before.includes(table));
    expect(watching.map((table) => table.replace(/_[0-9a-f]{8}/, '')).sort()).toEqual([
      'table bridge cni_debug_watch',
      'table inet cni_debug_watch',
    ]);
    for (const table of watching)
      expect(() => site.onNode('nft', `delete ${table}`)).toThrow('not permitted');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(site.tables()).toEqual(before);
  });

  test('sees a whole conversation of TCP by its ports, and of others nothing', () => {
    using site = new PathSite();
    using socket = openInetSocket('tcp', 4, site.open(site.pod));
    using other = openInetSocket('tcp', 4, site.open(site.pod));
    socket.bind({ ip: source, port: 40_001 });
    other.bind({ ip: source, port: 40_002 });
    const flow: Flow = { protocol: 'tcp', source, target, sourcePort: 40_001, targetPort: 80 };
    using watch = watchPackets(site.open(site.node), flow);
    const answers = {
      protocol: 'tcp',
      source: target,
      target: parseIp('198.51.100.1') as Uint8Array,
    } as const;
    watch.add({ ...answers, sourcePort: 80, targetPort: 40_001 });
    for (const one of [other, socket])
      expect(() => one.connect({ ip: target, port: 80 })).toThrow('ECONNREFUSED');
    const passages = watch.passages(200, 2);
    const ends = passages.map(({ hops }) => ({
      came: hops[0]?.came,
      left: hops.at(-1)?.left,
      at: hops.at(-1)?.hook,
    }));
    expect(ends).toMatchObject([
      {
        came: { source: '10.1.0.5', sourcePort: 40_001 },
        left: { source: '198.51.100.1', target: '198.51.100.2' },
      },
      {
        came: { source: '198.51.100.2' },
        left: { source: '198.51.100.2', target: '10.1.0.5', targetPort: 40_001 },
      },
    ]);
  });

  test('tells packets that are sent again apart', () => {
    using site = new PathSite();
    using socket = openInetSocket('udp', 4, site.open(site.pod));
    const cookie = newCookie();
    using watch = watchPackets(site.open(site.node), { protocol: 'udp', source, target, cookie });
    for (let sent = 0; sent < 3; sent++) socket.sendTo(cookie, { ip: target, port: 9 });
    const passages = watch.passages(200, 3);
    expect(passages.map(({ isContained }) => isContained)).toEqual([false, false, false]);
    expect(passages.map(({ hops }) => hops.map(({ layer, hook }) => `${layer} ${hook}`).join(', '))).toEqual(
      new Array(3).fill('bridge prerouting, ip prerouting, bridge input, ip forward, ip postrouting'),
    );
  });

  test('between two pods of a bridge: the packet goes through the hooks of IP where the bridge hands it to them', () => {
    using site = new PathSite();
    site.node.ip(
      `link add pod1 type veth peer name eth1 netns ${site.outside.name}`,
      'link set pod1 master br0 up',
    );
    site.outside.ip('address add 10.1.0.6/24 dev eth1', 'link set eth1 up');
    using socket = openInetSocket('udp', 4, site.open(site.pod));
    const cookie = newCookie();
    const peer = parseIp('10.1.0.6') as Uint8Array;
    using watch = watchPackets(site.open(site.node), { protocol: 'udp', source, target: peer, cookie });
    socket.sendTo(cookie, { ip: peer, port: 9 });
    const layers = (): string[] =>
      (watch.passages(200).at(-1)?.hops ?? []).map(({ layer, hook }) => `${layer} ${hook}`);
    expect(layers().filter((hop) => hop.startsWith('bridge'))).toEqual([
      'bridge prerouting',
      'bridge forward',
      'bridge postrouting',
    ]);
    const calls = site
      .onNode('sh', '-c', 'cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo 0')
      .trim();
    expect(layers().filter((hop) => hop.startsWith('ip'))).toEqual(
      calls === '1' ? ['ip prerouting', 'ip forward', 'ip postrouting'] : [],
    );
  });
});

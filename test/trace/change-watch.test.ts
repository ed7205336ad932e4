import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Change } from '../../src/trace/change.ts';
import { changeSentences } from '../../src/trace/change-sentences.ts';
import { ChangeWatch } from '../../src/trace/change-watch.ts';
import { requires } from '../requirements.ts';
import { commandIn, inside } from '../root/namespace-command.ts';
import { type Pod, Site } from '../root/site.ts';

/** All that was looked at and could not be. */
let findings: string[] = [];

function watchOf(site: Site, netns: string, sysctls: string[] = []): ChangeWatch {
  const attachment = { network: 'net', containerID: 'c1', ifName: 'eth0' };
  const find = (rule: string, object: string, message: string) =>
    void findings.push(`${rule} ${object}: ${message}`);
  return inside(site.node, () => new ChangeWatch({ attachment, netns, sysctls, find }));
}

describe.if(requires('root', 'ip', 'nft'))('what somebody does on the node', () => {
  let site: Site;
  let pod: Pod;
  let watch: ChangeWatch;
  beforeAll(async () => {
    site = new Site();
    pod = site.pod();
    site.onNode('ip', 'link', 'add', 'cni0', 'type', 'bridge');
    site.onNode('ip', 'link', 'add', 'host0', 'type', 'veth', 'peer', 'name', 'peer0');
    site.onNode('ip', 'link', 'set', 'cni0', 'up');
    site.onNode(
      'nft',
      'add table inet t; add chain inet t c; add map inet t m { type ipv4_addr : verdict; }',
    );
    watch = watchOf(site, pod.netns, ['net/core/somaxconn']);
  });
  afterAll(() => {
    watch.close();
    site[Symbol.dispose]();
  });
  beforeEach(() => {
    findings = [];
  });

  const next = (): Change[] => inside(site.node, () => watch.next('test'));
  const sentences = (): string[] => changeSentences({ changes: next() });

  test('is nothing when nothing was done', () => {
    expect(next()).toEqual([]);
    expect(findings).toEqual([]);
  });

  const changes: [string, string[]][] = [
    ['+ link new0 (bridge, down)', ['ip', 'link', 'add', 'new0', 'type', 'bridge']],
    ['link new1 name new0 -> new1', ['ip', 'link', 'set', 'new0', 'name', 'new1']],
    ['- link new1 (bridge)', ['ip', 'link', 'del', 'new1']],
    ['link host0 master none -> cni0', ['ip', 'link', 'set', 'host0', 'master', 'cni0']],
    ['link host0 hairpin 0 -> 1', ['bridge', 'link', 'set', 'dev', 'host0', 'hairpin', 'on']],
    ['link host0 isolated 0 -> 1', ['bridge', 'link', 'set', 'dev', 'host0', 'isolated', 'on']],
    ['link peer0 mac ', ['ip', 'link', 'set', 'peer0', 'address', '02:00:00:00:00:07']],
    ['link peer0 mtu 1500 -> 1400', ['ip', 'link', 'set', 'peer0', 'mtu', '1400']],
    ['link peer0 alias none -> a', ['ip', 'link', 'set', 'peer0', 'alias', 'a']],
    ['link peer0 promiscuity none -> 1', ['ip', 'link', 'set', 'peer0', 'promisc', 'on']],
    ['link peer0 allmulti none -> 1', ['ip', 'link', 'set', 'peer0', 'allmulticast', 'on']],
    ['link peer0 txqlen 1000 -> 7', ['ip', 'link', 'set', 'peer0', 'txqueuelen', '7']],
    ['link peer0 group none -> 7', ['ip', 'link', 'set', 'peer0', 'group', '7']],
    [
      'link cni0 ageing_time 30000 -> 1000',
      ['ip', 'link', 'set', 'cni0', 'type', 'bridge', 'ageing_time', '1000'],
    ],
    ['link peer0 up false -> true', ['ip', 'link', 'set', 'peer0', 'up']],
    ['+ address 10.0.0.1/24 on cni0', ['ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'cni0']],
    ['+ address fd00::1/64 on cni0', ['ip', 'addr', 'add', 'fd00::1/64', 'dev', 'cni0', 'nodad']],
    ['+ address fe80::1/64 on cni0', ['ip', 'addr', 'add', 'fe80::1/64', 'dev', 'cni0', 'nodad']],
    ['+ route 10.9.0.0/24 dev cni0', ['ip', 'route', 'add', '10.9.0.0/24', 'dev', 'cni0']],
    [
      'route 10.9.0.0/24 mtu none -> 1400',
      ['ip', 'route', 'replace', '10.9.0.0/24', 'dev', 'cni0', 'mtu', '1400'],
    ],
    ['+ route fd01::/64 via fd00::2 dev cni0', ['ip', 'route', 'add', 'fd01::/64', 'via', 'fd00::2']],
    [
      '+ rule 7: from 10.9.0.1/32 lookup 7',
      ['ip', 'rule', 'add', 'from', '10.9.0.1', 'table', '7', 'priority', '7'],
    ],
    [
      '+ neighbour 10.0.0.7 on cni0 (02:00:00:00:00:01)',
      ['ip', 'neigh', 'add', '10.0.0.7', 'lladdr', '02:00:00:00:00:01', 'dev', 'cni0'],
    ],
    ['+ chain inet t d', ['nft', 'add chain inet t d']],
    ['chain inet t c: + accept', ['nft', 'add rule inet t c accept']],
    ['map inet t m: + 10.0.0.1 -> jump c', ['nft', 'add element inet t m { 10.0.0.1 : jump c }']],
    ['map inet t m: - 10.0.0.1 -> jump c', ['nft', 'flush map inet t m']],
    ['chain inet t c: - accept', ['nft', 'flush chain inet t c']],
    [
      'sysctl net.ipv4.conf.host0.route_localnet 0 -> 1',
      ['sysctl', '-qw', 'net.ipv4.conf.host0.route_localnet=1'],
    ],
    ['sysctl net.ipv6.conf.cni0.accept_ra 1 -> 0', ['sysctl', '-qw', 'net.ipv6.conf.cni0.accept_ra=0']],
    // For all links, and of none of them said again.
    ['sysctl net.ipv4.ip_forward 0 -> 1', ['sysctl', '-qw', 'net.ipv4.ip_forward=1']],
    ['sysctl net.ipv6.conf.all.forwarding 0 -> 1', ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1']],
    ['sysctl net.ipv4.conf.default.rp_filter ', ['sysctl', '-qw', 'net.ipv4.conf.default.rp_filter=2']],
    ['sysctl net.core.somaxconn 4096 -> 128', ['sysctl', '-qw', 'net.core.somaxconn=128']],
    ['- table inet t (1 map, 2 chains)', ['nft', 'delete table inet t']],
  ];
  test.each(changes)('%s', (expected, command) => {
    site.onNode(...command);
    const found = sentences();
    expect(found).toEqual([expect.stringContaining(expected)]);
    expect(next()).toEqual([]);
    expect(findings).toEqual([]);
  });

  test('nothing that comes and goes, or is replaced by the same', () => {
    site.onNode('nft', 'add table ip u; add chain ip u c; add rule ip u c accept');
    expect(next().length).toBe(3);
    site.onNode('nft', 'add chain ip u c; flush chain ip u c; add rule ip u c accept');
    site.onNode('nft', 'add rule ip u c drop');
    site.onNode('nft', 'flush chain ip u c; add rule ip u c accept');
    site.onNode('ip', 'link', 'add', 'gone0', 'type', 'bridge');
    site.onNode('ip', 'link', 'del', 'gone0');
    expect(next()).toEqual([]);
  });

  test('nothing that packets and time do', async () => {
    for (const [name, address] of [
      ['host0', '10.1.0.1'],
      ['peer0', '10.1.0.2'],
    ] as const)
      site.onNode('ip', 'addr', 'add', `${address}/24`, 'dev', name);
    site.onNode('ip', 'link', 'set', 'host0', 'up');
    next();
    site.onNode('sh', '-c', 'ping -c1 -W1 10.1.0.2 -I host0 >&2; ping -c1 -W1 10.9.0.9 >&2; true');
    await Bun.sleep(2500);
    expect(next()).toEqual([]);
  });

  test('in the container, too, with what it takes along', () => {
    site.onNode(
      'ip',
      'link',
      'add',
      'veth7',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      pod.netns.slice(11),
    );
    site.inPod(pod, 'ip', 'addr', 'add', '10.22.0.5/16', 'dev', 'eth0');
    site.inPod(pod, 'ip', 'link', 'set', 'eth0', 'up');
    site.inPod(pod, 'ip', 'route', 'add', 'default', 'via', '10.22.0.1');
    const added = next();
    expect(changeSentences({ changes: added })).toEqual([
      'test: + link veth7 (veth, down)',
      'test in the container: + link eth0 (veth, up); + address 10.22.0.5/16 on eth0; + route 0.0.0.0/0 via 10.22.0.1 dev eth0',
    ]);
    // Its other end is this container's.
    expect(added.find(({ object }) => object === 'veth7')).toMatchObject({ whose: 'this', plugin: 'test' });
    site.onNode('ip', 'link', 'del', 'veth7');
    expect(sentences()).toEqual([
      'test: - link veth7 (veth)',
      'test in the container: - link eth0 (veth, 10.22.0.5/16, 2 routes)',
    ]);
  });

  test('for another container, which is not the one that is looked at', () => {
    const another = site.pod();
    site.onNode(
      'ip',
      'link',
      'add',
      'veth8',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      another.netns.slice(11),
    );
    site.onNode('sysctl', '-qw', 'net.ipv4.conf.veth8.arp_notify=1');
    site.onNode('ip', 'route', 'add', '10.77.0.0/16', 'via', '10.0.0.77');
    expect(sentences()).toEqual([
      'test: + route 10.77.0.0/16 via 10.0.0.77 dev cni0',
      'meanwhile, another (the other end of veth8 is in another namespace): + link veth8 (veth, down); sysctl net.ipv4.conf.veth8.arp_notify 0 -> 1',
    ]);
  });
});

describe.if(requires('root', 'ip'))('a namespace that cannot be looked at', () => {
  test('is a finding, once, and the rest goes on', () => {
    using site = new Site();
    findings = [];
    const watch = watchOf(site, '/run/netns/not-there');
    site.onNode('ip', 'link', 'add', 'new0', 'type', 'bridge');
    expect(inside(site.node, () => watch.next('test')).map(({ object }) => object)).toEqual(['new0']);
    expect(findings).toEqual([expect.stringMatching(/^snapshot-failed container: .*not-there.*ENOENT/)]);
    watch.close();
    watch.close();
  });

  test("the node's own is looked at once", () => {
    using site = new Site();
    findings = [];
    const watch = watchOf(site, site.node);
    site.onNode('ip', 'link', 'add', 'new0', 'type', 'bridge');
    expect(inside(site.node, () => watch.next('test')).length).toBe(1);
    expect(findings).toEqual([]);
    watch.close();
  });

  test('one that goes away meanwhile is looked at to its end', () => {
    using site = new Site();
    findings = [];
    const pod = site.pod();
    const watch = watchOf(site, pod.netns);
    commandIn(pod.netns, 'ip', 'link', 'set', 'lo', 'up');
    site.removeNamespace(pod);
    expect(inside(site.node, () => watch.next('test')).map(({ object }) => object)).toContain('lo');
    expect(findings).toEqual([]);
    watch.close();
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../src/kernel/file-lock.ts';
import { requires } from '../requirements.ts';
import { Site } from './site.ts';
import { difference } from './snapshot.ts';

// What the tests of "nothing is left" rest on: that whatever is left would be seen.
describe.if(requires('root', 'ip', 'nft'))('a snapshot of the node tells', () => {
  let site: Site;
  let before: string[];
  beforeAll(() => {
    site = new Site();
    site.onNode('ip', 'link', 'add', 'cni0', 'type', 'bridge');
    site.onNode('ip', 'link', 'add', 'host0', 'type', 'veth', 'peer', 'name', 'peer0');
    site.onNode('ip', 'link', 'set', 'cni0', 'up');
    site.onNode(
      'nft',
      'add table inet t; add chain inet t c; add map inet t m { type ipv4_addr : verdict; }',
    );
    mkdirSync(join(site.leases, 'net'), { recursive: true });
    writeFileSync(join(site.leases, 'net', 'lock'), '');
  });
  afterAll(() => site[Symbol.dispose]());
  beforeEach(() => {
    before = site.snapshot();
  });

  test('nothing when nothing was done', () => {
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  const changes: [string, string[], RegExp][] = [
    ['a link', ['ip', 'link', 'add', 'new0', 'type', 'bridge'], /^\+ link new0 /],
    ['a master', ['ip', 'link', 'set', 'host0', 'master', 'cni0'], /^\+ link host0 .*"master":"cni0"/],
    [
      'hairpin',
      ['bridge', 'link', 'set', 'dev', 'host0', 'hairpin', 'on'],
      /^\+ link host0 .*"hairpin":true/,
    ],
    [
      'isolation',
      ['bridge', 'link', 'set', 'dev', 'host0', 'isolated', 'on'],
      /^\+ link host0 .*"isolated":true/,
    ],
    [
      'a MAC',
      ['ip', 'link', 'set', 'host0', 'address', '02:00:00:00:00:07'],
      /^\+ link host0 .*02:00:00:00:00:07/,
    ],
    ['an MTU', ['ip', 'link', 'set', 'host0', 'mtu', '1400'], /^\+ link host0 .*"mtu":1400/],
    ['an alias', ['ip', 'link', 'set', 'host0', 'alias', 'a'], /^\+ link host0 .*"ifalias":"a"/],
    ['promiscuity', ['ip', 'link', 'set', 'cni0', 'promisc', 'on'], /^\+ link cni0 .*"promiscuity":1/],
    ['an address', ['ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'cni0'], /^\+ address cni0 10\.0\.0\.1\/24/],
    ['an IPv6 address', ['ip', 'addr', 'add', 'fd00::1/64', 'dev', 'cni0'], /^\+ address cni0 fd00::1\/64/],
    ['a route', ['ip', 'route', 'add', '10.9.0.0/24', 'dev', 'cni0'], /^\+ route 10\.9\.0\.0\/24/],
    ['a rule', ['ip', 'rule', 'add', 'from', '10.9.0.1', 'table', '7'], /^\+ rule -4 .*10\.9\.0\.1/],
    [
      'a neighbour',
      ['ip', 'neigh', 'add', '10.9.0.7', 'lladdr', '02:00:00:00:00:01', 'dev', 'cni0'],
      /^\+ neighbour .*10\.9\.0\.7/,
    ],
    ['a chain', ['nft', 'add chain inet t d'], /^\+ nft chain .*"name":"d"/],
    ['a rule of nftables', ['nft', 'add rule inet t c accept'], /^\+ nft rule /],
    ['an element', ['nft', 'add element inet t m { 10.0.0.1 : jump c }'], /^\+ nft map .*10\.0\.0\.1/],
    ['a sysctl', ['sysctl', '-qw', 'net.ipv4.conf.host0.route_localnet=1'], /^\+ sysctl .*route_localnet=1/],
    [
      'forwarding',
      ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1'],
      /^\+ sysctl ipv6\/conf\/all\/forwarding=1/,
    ],
    ['a lease', ['sh', '-c', 'printf c > "$0/net/10.0.0.5"'], /^\+ lease net 10\.0\.0\.5 "c"/],
  ];
  test.each(changes)('%s', (_, command, expected) => {
    site.onNode(...command, ...(command[0] === 'sh' ? [site.leases] : []));
    const lines = difference(before, site.snapshot());
    expect(lines.some((line) => expected.test(line))).toBeTrue();
  });

  test('a lock that is held', () => {
    const path = join(site.leases, 'net', 'lock');
    const fd = openSync(path, 'r');
    lockFile(fd, { path, timeoutMs: 1000 });
    expect(difference(before, site.snapshot())).toEqual(['- lock net free', '+ lock net held']);
    closeSync(fd);
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prevResult } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { type Pod, type Site, succeeded } from '../site.ts';
import { dataDirOf, type Json, routesOf, TwoNodes } from './two-nodes.ts';

const peer = { dst: '100.100.2.0/24', gw: '200.0.0.30', dev: 'enp8s0' };
const line = `${peer.dst} via ${peer.gw} dev ${peer.dev}`;
const valid = 'cni.dev/valid-attachments';

describe.if(requires('root', 'ip', 'strace'))('host-routes on a node that is not as it should be', () => {
  let nodes: TwoNodes;
  let site: Site;
  let pod: Pod;
  let dataDir: string;
  beforeEach(() => {
    nodes = new TwoNodes();
    site = nodes.here;
    pod = site.pod('one');
    dataDir = dataDirOf(site);
  });
  afterEach(() => nodes[Symbol.dispose]());

  const configuration = (keys: Json = {}): Json => {
    const base = { cniVersion: '1.1.0', name: 'net', type: 'host-routes', dataDir, routes: [peer] };
    return { ...base, prevResult: { ...prevResult, cniVersion: '1.1.0' }, ...keys };
  };
  const add = (keys: Json = {}) => site.add(configuration(keys), { pod });
  /** Runs the plugin behind a line of shell, in a mount namespace of its own. */
  const behind = (script: string) => ({
    pod,
    through: ['unshare', '-m', 'sh', '-c', `${script} && exec "$0"`],
  });

  test('one that does not let packets through gets no routes, and ADD says why', async () => {
    const readOnly = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys';
    const file = join(site.scratch.folder, 'peers.json');
    await Bun.write(file, JSON.stringify([peer]));
    for (const keys of [{}, { routes: undefined, peersFile: file }]) {
      const { msg } = await site.fail('ADD', configuration(keys), behind(readOnly));
      expect(msg).toContain('open "/proc/sys/net/ipv4/ip_forward": Read-only file system (EROFS)');
      expect(routesOf(site)).toEqual([]);
      expect(existsSync(dataDir)).toBeFalse();
    }
  });

  test('a state that cannot be written is one error, and no route is set', async () => {
    const readOnly = `mount --bind ${dataDir} ${dataDir} && mount -o remount,bind,ro ${dataDir}`;
    await add();
    const before = routesOf(site);
    const routes = [{ ...peer, gw: '200.0.0.31' }];
    const { status, stdout, stderr } = await site.call('ADD', configuration({ routes }), behind(readOnly));
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(JSON.parse(stdout).msg).toBe(`unlink "${dataDir}/.new": Read-only file system (EROFS)`);
    expect(routesOf(site)).toEqual(before);
  });

  test('a call that is killed while the kernel refuses its list has not made that the last good one', async () => {
    const peersFile = join(site.scratch.folder, 'peers.json');
    const keys = { routes: undefined, peersFile };
    await Bun.write(peersFile, JSON.stringify([peer]));
    await add(keys);
    const more = { ...peer, dst: '100.100.3.0/24' };
    await Bun.write(peersFile, JSON.stringify([more, { ...more, dst: '100.100.7.0/24', gw: '203.0.113.9' }]));
    // The first one says what is to be done, the second one would take that back.
    const inject = ['-e', 'trace=rename', '-e', 'inject=rename:signal=KILL:when=2'];
    const strace = Bun.which('strace') ?? 'strace';
    const through = [strace, '-f', '-qq', '-o', join(site.scratch.folder, 'strace'), ...inject];
    expect((await site.call('ADD', configuration(keys), { pod, through })).signal).toBe('SIGKILL');
    site.onNode('ip', 'route', 'flush', peer.dst);
    site.onNode('ip', 'route', 'add', more.dst, 'via', more.gw, 'proto', '67');
    await add(keys);
    expect(routesOf(site)).toEqual([line]);
  });

  test('what is no state of a network, in the folder of them, is in nobody’s way', async () => {
    mkdirSync(join(dataDir, 'other.json'), { recursive: true });
    await add();
    expect(routesOf(site)).toEqual([line]);
  });

  test('GC without pods removes the configuration’s routes, also when the state got lost', async () => {
    await add({ name: 'other', routes: [{ ...peer, dst: '100.100.3.0/24' }] });
    await add();
    rmSync(join(dataDir, 'net.json'));
    site.onNode('ip', 'route', 'add', '100.100.4.0/24', 'via', peer.gw, 'proto', 'static');
    const gone = ['100.100.2.0/24', '100.100.3.0/24', '100.100.4.0/24'].map((dst) => ({ ...peer, dst }));
    succeeded(await site.call('GC', configuration({ routes: gone, [valid]: [] })));
    expect(routesOf(site)).toEqual(['100.100.3.0/24 via 200.0.0.30 dev enp8s0']);
    expect(routesOf(site, '4')).toEqual(['100.100.4.0/24 via 200.0.0.30 dev enp8s0']);
    expect(existsSync(join(dataDir, 'net.json'))).toBeFalse();
  });

  test('a prevResult that cannot be passed on is refused before anything is done', async () => {
    const keys = { cniVersion: '0.2.0', prevResult: { ...prevResult, cniVersion: '1.0.0', ips: [] } };
    const { msg } = await site.fail('ADD', configuration(keys), { pod });
    expect(msg).toBe('cannot convert: no valid IP addresses');
    expect(routesOf(site)).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prevResult } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { type Pod, type Site, succeeded } from '../site.ts';
import { dataDirOf, type Json, routesOf, TwoNodes } from './two-nodes.ts';

const peer = { dst: '100.100.2.0/24', gw: '200.0.0.30', dev: 'enp8s0' };
const more = { dst: '100.100.3.0/24', gw: '200.0.0.31', dev: 'enp8s0' };
const line = ({ dst, gw, dev }: typeof peer) => `${dst} via ${gw} dev ${dev}`;
const valid = 'cni.dev/valid-attachments';
const listed = { [valid]: [{ containerID: 'one', ifname: 'eth0' }] };

describe.if(requires('root', 'ip'))('the routes of host-routes', () => {
  let nodes: TwoNodes;
  let site: Site;
  let pod: Pod;
  beforeEach(() => {
    nodes = new TwoNodes();
    site = nodes.here;
    pod = site.pod('one');
  });
  afterEach(() => nodes[Symbol.dispose]());

  const configuration = (routes: Json, keys: Json = {}): Json => {
    const base = { cniVersion: '1.1.0', name: 'net', type: 'host-routes', dataDir: dataDirOf(site) };
    return { ...base, routes, prevResult: { ...prevResult, cniVersion: '1.1.0' }, ...keys };
  };
  const add = (routes: Json, keys: Json = {}) => site.add(configuration(routes, keys), { pod });
  const call = (command: string, routes: Json, keys: Json = {}) =>
    site.call(command, configuration(routes, keys), command === 'GC' ? {} : { pod });
  const fail = (routes: Json, keys: Json = {}) => site.fail('ADD', configuration(routes, keys), { pod });
  const ip = (...words: string[]) => site.onNode('ip', ...words);
  // A link-local address gets its route when the kernel has made sure of it, which takes a second or two.
  const all = () => ip('route', 'show', 'table', 'all').replace(/^local fe80::.*\n/gm, '');
  const stateFile = (network = 'net') => join(dataDirOf(site), `${network}.json`);

  test('ADD sets them with a protocol of their own, switches forwarding on, and passes prevResult on', async () => {
    const given = { ...prevResult, cniVersion: '1.1.0', 'example.com/more': [1] };
    expect(await add([peer, { dst: '100.100.4.0/24', dev: 'enp8s0' }], { prevResult: given })).toEqual(given);
    expect(routesOf(site)).toEqual([line(peer), '100.100.4.0/24 dev enp8s0 scope 253']);
    expect(site.onNode('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('1');
    expect(site.onNode('cat', '/proc/sys/net/ipv6/conf/all/forwarding').trim()).toBe('0');
  });

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])('ADD in %s', async (version) => {
    const oldest = { cniVersion: version, ip4: { ip: '10.22.0.5/16' }, dns: {} };
    const { ips, interfaces } = prevResult;
    const middle = { cniVersion: version, interfaces, ips: [{ version: '4', ...ips[0] }], dns: {} };
    const latest = { ...prevResult, cniVersion: version };
    const given = version < '0.3' ? oldest : version < '1' ? middle : latest;
    expect(await add([peer], { cniVersion: version, prevResult: given })).toEqual(given);
    expect(routesOf(site)).toEqual([line(peer)]);
  });

  test('a second ADD neither writes nor waits for the lock, and DEL leaves the routes', async () => {
    await add([peer, more]);
    const before = { routes: all(), inode: statSync(stateFile()).ino };
    // flock(1) holds the lock for as long as its command runs: this ADD is that command.
    const through = ['flock', join(dataDirOf(site), 'lock')];
    const answer = await site.call('ADD', configuration([peer, more]), { pod, through });
    succeeded(answer);
    succeeded(await call('DEL', [peer, more]));
    succeeded(await call('DEL', 'malformed'));
    expect({ routes: all(), inode: statSync(stateFile()).ino }).toEqual(before);
  });

  test('a wrong gateway, device or metric of ours is replaced, and what was removed comes back', async () => {
    await add([peer, more]);
    ip('route', 'replace', peer.dst, 'via', '200.0.0.99', 'proto', '67');
    ip('route', 'add', more.dst, 'via', '200.0.0.98', 'metric', '5', 'proto', '67');
    await add([peer, more]);
    expect(routesOf(site)).toEqual([line(peer), line(more)]);
    ip('route', 'del', peer.dst);
    ip('route', 'replace', 'unreachable', more.dst, 'proto', '67');
    await add([peer, more]);
    expect(routesOf(site)).toEqual([line(peer), line(more)]);
    await add([{ ...peer, gw: '200.0.0.31' }, more]);
    expect(routesOf(site)).toEqual([line({ ...peer, gw: '200.0.0.31' }), line(more)]);
  });

  test('of IPv6, too, and of IPv4 by a gateway of IPv6', async () => {
    const six = { dst: 'fd00:100:2::/64', gw: 'fd00:200::30' };
    const mixed = { dst: '100.100.5.0/24', gw: 'fd00:200::30', dev: 'enp8s0' };
    await add([six, mixed]);
    ip('-6', 'route', 'replace', six.dst, 'via', 'fd00:200::99', 'proto', '67');
    ip('-6', 'route', 'append', six.dst, 'via', 'fd00:200::98', 'proto', '67');
    await add([six, mixed]);
    expect(routesOf(site, '67', '-6')).toEqual([
      expect.stringContaining('fd00:100:2::/64 via fd00:200::30 dev enp8s0'),
    ]);
    expect(routesOf(site)).toEqual(['100.100.5.0/24 via inet6 fd00:200::30 dev enp8s0']);
    expect(site.onNode('cat', '/proc/sys/net/ipv6/conf/all/forwarding').trim()).toBe('1');
    await add([]);
    expect([...routesOf(site), ...routesOf(site, '67', '-6')]).toEqual([]);
  });

  test('what leaves the list is removed, and no route of others with it', async () => {
    ip('route', 'add', '100.100.9.0/24', 'via', '200.0.0.30', 'proto', 'static');
    ip('route', 'add', '100.100.8.0/24', 'via', '200.0.0.30', 'proto', '67');
    const before = all();
    await add([peer, more]);
    await add([more]);
    expect(routesOf(site)).toContain(line(more));
    expect(routesOf(site)).not.toContain(line(peer));
    await add([]);
    expect(all()).toBe(before);
  });

  test('what a call that was killed has not removed any more is removed by the next', async () => {
    await add([more]);
    ip('route', 'add', peer.dst, 'via', peer.gw, 'proto', '67');
    writeFileSync(stateFile(), JSON.stringify({ routes: [more], left: [peer.dst] }));
    await add([more]);
    expect(routesOf(site)).toEqual([line(more)]);
    expect(JSON.parse(readFileSync(stateFile(), 'utf8'))).toEqual({ routes: [more] });
  });

  test('a route of somebody else is left alone: as it is where it leads the same way, else with an error', async () => {
    ip('route', 'add', peer.dst, 'via', peer.gw, 'dev', peer.dev, 'proto', 'static', 'metric', '50');
    const same = all();
    await add([peer]);
    expect(all()).toBe(same);
    succeeded(await call('CHECK', [peer]));
    await add([]);
    expect(all()).toBe(same);

    const other = '100.100.2.0/24 via 200.0.0.99 dev enp8s0 proto static metric 50';
    ip('route', 'replace', ...other.split(' '));
    const before = all();
    const { code, msg } = await fail([more, peer]);
    expect(code).toBe(999);
    expect(msg).toContain(`routes[1]: the node has a route that is not ours`);
    expect(msg).toContain(`"ip route del ${other}"`);
    expect(all()).toBe(before);
    expect(existsSync(stateFile())).toBeTrue();
    expect(await site.fail('STATUS', configuration([peer]))).toMatchObject({ code: 50 });
  });

  test('a route of somebody else that packets do not take, by its metric, is in nobody’s way', async () => {
    await add([peer]);
    ip('route', 'add', peer.dst, 'via', '200.0.0.99', 'proto', 'static', 'metric', '50');
    const before = all();
    await add([peer]);
    succeeded(await call('STATUS', [peer]));
    expect(all()).toBe(before);
    ip('route', 'del', peer.dst, 'metric', '0');
    expect((await fail([peer])).msg).toContain('the node has a route that is not ours');
  });

  test('CHECK names all that differs', async () => {
    await add([peer, more]);
    succeeded(await call('CHECK', [peer, more]));
    ip('route', 'replace', peer.dst, 'via', '200.0.0.99', 'proto', '67');
    ip('route', 'del', more.dst);
    const { code, msg } = await site.fail('CHECK', configuration([peer, more]), { pod });
    expect(code).toBe(100);
    expect(msg).toContain('2 differences');
    expect(msg).toContain('leads elsewhere: 100.100.2.0/24 via 200.0.0.99 dev enp8s0 proto 67');
    expect(msg).toContain(`there is no route to ${line(more)}`);
    expect(await site.fail('CHECK', configuration([peer], { prevResult: undefined }), { pod })).toMatchObject(
      { code: 7, msg: 'Required prevResult missing' },
    );
  });

  test('GC: nothing without a list, the configuration’s routes with one, none when it is empty', async () => {
    await add([peer, more]);
    for (const keys of [{}, { [valid]: null }]) {
      succeeded(await call('GC', [peer], keys));
      expect(routesOf(site)).toEqual([line(peer), line(more)]);
    }
    ip('route', 'del', peer.dst);
    succeeded(await call('GC', [peer], listed));
    expect(routesOf(site)).toEqual([line(peer)]);
    ip('route', 'add', '100.100.8.0/24', 'via', '200.0.0.30', 'proto', '67');
    expect((await call('GC', 5, listed)).stderr).toContain('routes: 5 is not an array');
    for (let time = 0; time < 2; time++) {
      succeeded(await call('GC', 5, { [valid]: [] }));
      expect(routesOf(site)).toEqual(['100.100.8.0/24 via 200.0.0.30 dev enp8s0']);
      expect(existsSync(stateFile())).toBeFalse();
    }
  });

  test('two networks: what both want goes with the last of them, and they cannot want different ways', async () => {
    await add([peer, more]);
    await add([peer], { name: 'other' });
    const { msg } = await fail([{ ...more, gw: '200.0.0.32' }], { name: 'other' });
    expect(msg).toContain(`network "net" of this node wants ${line(more)}`);
    expect(msg).toContain(stateFile());
    expect(routesOf(site)).toEqual([line(peer), line(more)]);
    succeeded(await call('GC', [peer, more], { [valid]: [] }));
    expect(routesOf(site)).toEqual([line(peer)]);
    await add([], { name: 'other' });
    expect(routesOf(site)).toEqual([]);
  });

  test('a route that the kernel refuses is an error, and all is as it was', async () => {
    await add([peer]);
    const before = { routes: all(), state: readFileSync(stateFile(), 'utf8') };
    const unreachable = { dst: '100.100.7.0/24', gw: '203.0.113.9', dev: 'enp8s0' };
    const { msg } = await fail([{ ...peer, gw: '200.0.0.31' }, more, unreachable]);
    expect(msg).toContain(
      '100.100.7.0/24 via 203.0.113.9 dev "enp8s0": Network is unreachable (ENETUNREACH)',
    );
    expect({ routes: all(), state: readFileSync(stateFile(), 'utf8') }).toEqual(before);
    await fail([unreachable], { name: 'fresh' });
    expect(existsSync(stateFile('fresh'))).toBeFalse();
  });

  test('forty ADDs at once, of two networks, make each route once', async () => {
    const pods = Array.from({ length: 40 }, (_, index) => `c${index}`);
    await Promise.all(
      pods.map((containerID, index) =>
        site.add(configuration(index % 2 ? [peer] : [peer, more], { name: index % 2 ? 'net' : 'other' }), {
          containerID,
          netns: pod.netns,
        }),
      ),
    );
    expect(routesOf(site)).toEqual([line(peer), line(more)]);
  });
});

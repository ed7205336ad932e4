import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

let site: Site;
let pod: Pod;
beforeEach(() => {
  site = new Site();
  pod = site.pod('pod');
});
afterEach(() => site[Symbol.dispose]());

const addressesOfBridge = () => site.onNode('ip', '-4', '-o', 'address', 'show', 'dev', 'cni0');

describe.if(requires('root', 'ip', 'ping'))('an ADD that fails harms nobody else (ours)', () => {
  test('a second ADD of an attachment leaves the first one its interface and its lease', async () => {
    const configuration = site.configuration({ isGateway: true });
    await site.add(configuration, { pod });
    const leases = site.leased();
    await site.fail('ADD', configuration, { pod, args: 'IP=10.50.0.77' });
    expect(site.leased()).toEqual(leases);
    expect(site.inPod(pod, 'ping', '-c', '1', '-W', '2', '10.50.0.1')).toContain('1 received');
  });

  test('a bridge that has lost its only port before it had an address, and its MAC with it, gets another', async () => {
    site.onNode('ip', 'link', 'add', 'cni0', 'type', 'bridge');
    site.onNode('ip', 'link', 'add', 'port', 'master', 'cni0', 'type', 'veth', 'peer', 'name', 'end');
    site.onNode('ip', 'link', 'del', 'port');
    expect(site.onNode('ip', 'link', 'show', 'cni0')).toContain('00:00:00:00:00:00');
    const { interfaces } = await site.add(site.configuration({ isGateway: true }), { pod });
    expect(interfaces[0].mac).not.toBe('00:00:00:00:00:00');
    expect(site.inPod(pod, 'ping', '-c', '1', '-W', '2', '10.50.0.1')).toContain('1 received');
  });

  test('an address that was forced away from the bridge comes back', async () => {
    const first = site.configuration({ name: 'first', isGateway: true });
    await site.add(first, { pod });
    const before = addressesOfBridge();
    const forced = site.configuration({
      name: 'second',
      isGateway: true,
      forceAddress: true,
      // The kernel refuses the route, when the address is there already.
      ipam: site.ipam(['10.60.0.0/16'], { routes: [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }] }),
    });
    await site.fail('ADD', forced, { pod: site.pod('other') });
    expect(addressesOfBridge()).toBe(before);
    await site.add(first, { pod: site.pod('third') });
  });

  test('of many first ones at once those that succeed have their gateway, whichever others fail', async () => {
    const routes = [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }];
    const sound = site.configuration({ isGateway: true });
    const refused = site.configuration({ isGateway: true, ipam: site.ipam(['10.50.0.0/16'], { routes }) });
    const pods = Array.from({ length: 10 }, (_, index) => site.pod(`pod${index}`));
    const isSound = (index: number) => index % 3 !== 0;
    await Promise.all(
      pods.map((pod, index) =>
        isSound(index) ? site.add(sound, { pod }) : site.fail('ADD', refused, { pod }),
      ),
    );
    for (const pod of pods.filter((_, index) => isSound(index))) {
      expect(site.inPod(pod, 'ping', '-c', '1', '-W', '2', '10.50.0.1')).toContain('1 received');
    }
  });
});

describe.if(requires('root', 'ip'))('an ADD that must not begin (ours)', () => {
  const badRoute = () => site.ipam(['10.50.0.0/16'], { routes: [{ dst: '0.0.0.0/0', mtu: 99_999_999_999 }] });
  test.each<[string, () => object, Call, string]>([
    ['a result of 0.2.0 without addresses', () => ({ cniVersion: '0.2.0', ipam: {} }), {}, '0.2.0'],
    ['a bridge whose name the kernel takes for a pattern', () => ({ bridge: 'br%d' }), {}, 'br%d'],
    ['the same of the interface', () => ({}), { ifName: 'e%d' }, 'e%d'],
    ['a route number that is none', () => ({ ipam: badRoute() }), {}, 'ipam.routes[0].mtu'],
  ])('%s', async (_, keys, call, told) => {
    const before = site.snapshot();
    const { msg } = await site.fail('ADD', site.configuration(keys()), { pod, ...call });
    expect(msg).toContain(told);
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

describe.if(requires('root', 'ip'))('surroundings (ours)', () => {
  test('SIGTERM while the pool is locked ends an ADD, and nothing is left', async () => {
    const configuration = site.configuration({ isGateway: true });
    const before = await site.warmUp(configuration);
    const lock = await holdLock('net');
    let child: ChildProcess | undefined;
    const started = (one: ChildProcess) => {
      child = one;
    };
    const answer = site.call('ADD', configuration, { pod, started });
    while (!hasOpened(child?.pid, 'leases/net/lock')) await Bun.sleep(5);
    child?.kill('SIGTERM');
    await Bun.sleep(200);
    lock.kill('SIGKILL');
    const { status, stdout } = await answer;
    expect(status).toBe(1);
    expect(stdout).toContain('SIGTERM');
    const left = difference(before, site.snapshot()).filter(
      (line) => !/last_reserved_ip|net .*lock/.test(line),
    );
    expect(left.filter((line) => line.startsWith('+'))).toEqual([]);
  });

  test('a /proc/sys that may not be written is said, and the ADD goes on', async () => {
    const configuration = site.configuration({ isGateway: true });
    await site.warmUp(configuration);
    const script = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$0"';
    const { status, stderr } = await site.call('ADD', configuration, {
      pod,
      through: ['unshare', '-m', 'sh', '-c', script],
    });
    expect(status).toBe(0);
    expect(stderr).toContain('accept_ra');
    expect(stderr).toContain('EROFS');
  });

  test('DEL with an ipam that cannot be read removes the interface, and says that the lease stays', async () => {
    const configuration = site.configuration();
    await site.add(configuration, { pod });
    const { code, msg } = await site.fail(
      'DEL',
      { ...configuration, ipam: { ...configuration.ipam, type: 5 } },
      { pod },
    );
    expect(code).toBe(7);
    expect(msg).toContain('ipam.type');
    expect(site.links(pod.netns)).toEqual(['lo']);
    await site.del(configuration, { pod });
    expect(site.leased()).toEqual([]);
  });

  test('a default route that IPAM gives without a gateway is not made twice', async () => {
    const ipam = site.ipam(['10.50.0.0/16'], { routes: [{ dst: '0.0.0.0/0' }] });
    const { routes } = await site.add(site.configuration({ isDefaultGateway: true, ipam }), { pod });
    expect(routes).toEqual([{ dst: '0.0.0.0/0' }]);
    expect(site.inPod(pod, 'ip', 'route', 'show', 'default')).toContain('via 10.50.0.1');
  });
});

/** A process that keeps the lock of a network's leases until it is killed. */
async function holdLock(network: string): Promise<ChildProcess> {
  const folder = join(site.leases, network);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lock'), '');
  const child = spawn('flock', ['--no-fork', join(folder, 'lock'), 'sh', '-c', 'echo held; exec sleep 60']);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

/** Who waits for a lock has its file open. */
function hasOpened(pid: number | undefined, end: string): boolean {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(join(folder, fd)).endsWith(end);
    } catch {
      // Closed since it was listed.
      return false;
    }
  });
}

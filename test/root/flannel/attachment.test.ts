import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Fabric } from './fabric.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

describe.if(requires('root', 'ip', 'nft'))('an attachment of flannel', () => {
  let fabric: Fabric;
  let configuration: Json;
  let before: string[];
  let pod: Pod;
  beforeEach(async () => {
    fabric = new Fabric();
    configuration = fabric.flannel();
    before = await fabric.warmUp(configuration);
    pod = fabric.pod('pod');
  });
  afterEach(() => fabric[Symbol.dispose]());

  const left = () => difference(before, fabric.snapshot());

  test('is checked by the bridge, and each difference is named', async () => {
    const prevResult = await fabric.add(configuration, { pod });
    const check = () => fabric.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(await check()).toMatchObject({ status: 0, stdout: '' });
    fabric.inPod(pod, 'ip', 'addr', 'flush', 'dev', 'eth0');
    const { status, stdout } = await check();
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 100,
      msg: expect.stringContaining(prevResult.ips[0].address),
    });
  });

  test.each(['with', 'without'])('is deleted %s a namespace, and again', async (how) => {
    await fabric.add(configuration, { pod });
    const netns = how === 'with' ? pod.netns : '';
    for (let time = 1; time <= 2; time += 1) await fabric.del(configuration, { pod, netns });
    expect(left()).toEqual([]);
  });

  test.each([
    ['lost', (path: string) => rmSync(path)],
    ['emptied by a crash', (path: string) => writeFileSync(path, '')],
    ['cut by a crash', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 99))],
  ])('whose state was %s is deleted all the same, also without flanneld', async (_, damage) => {
    for (const hasSubnet of [true, false]) {
      const pod = fabric.pod(`pod-${hasSubnet}`);
      await fabric.add(configuration, { pod });
      damage(join(fabric.dataDir, `${pod.name}:eth0`));
      if (!hasSubnet) rmSync(fabric.subnetFile);
      await fabric.del(configuration, { pod });
      expect(left()).toEqual([]);
      expect(fabric.links(pod.netns)).toEqual(['lo']);
    }
  });

  test('without a state is deleted also where the disk has become read-only', async () => {
    await fabric.add(configuration, { pod });
    // There the kernel refuses to remove even what is not there.
    const mount = `mount -t tmpfs -o ro none ${fabric.dataDir}; exec "$0"`;
    await fabric.del(configuration, { pod, through: ['unshare', '-m', 'sh', '-c', mount] });
    await fabric.del(configuration, { pod });
    expect(left()).toEqual([]);
  });

  test('without a state, what another network has under that name in the namespace stays', async () => {
    fabric.onNode(
      'ip',
      'link',
      'add',
      'other0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      pod.netns.split('/').at(-1) ?? '',
    );
    await fabric.del(configuration, { pod });
    expect(fabric.links(pod.netns)).toEqual(['lo', 'eth0']);
    expect(await fabric.fail('ADD', configuration, { pod })).toMatchObject({
      msg: expect.stringContaining('eth0'),
    });
    await fabric.del(configuration, { pod });
    expect(fabric.links(pod.netns)).toEqual(['lo', 'eth0']);
  });

  test('of the reference is found by the old name of its state', async () => {
    await fabric.add(configuration, { pod });
    renameSync(join(fabric.dataDir, 'pod:eth0'), join(fabric.dataDir, 'pod'));
    rmSync(fabric.subnetFile);
    await fabric.del(configuration, { pod });
    expect(left()).toEqual([]);
  });

  test('whose ADD fails leaves nothing; a second ADD leaves the first', async () => {
    const broken = {
      ...configuration,
      ipam: { ...configuration.ipam, routes: [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }] },
    };
    await fabric.fail('ADD', broken, { pod });
    expect(left()).toEqual([]);
    const prevResult = await fabric.add(configuration, { pod });
    const all = fabric.snapshot();
    await fabric.fail('ADD', broken, { pod });
    expect(difference(all, fabric.snapshot())).toEqual([]);
    expect(await fabric.call('CHECK', { ...configuration, prevResult }, { pod })).toMatchObject({
      status: 0,
    });
  });

  test('two interfaces of one container have a state each', async () => {
    await fabric.add(configuration, { pod });
    const one = fabric.snapshot();
    const other = fabric.flannel({
      name: 'other',
      delegate: { bridge: 'cni9' },
      ipam: { ...configuration.ipam, routes: [] },
    });
    fabric.writeSubnet([
      'FLANNEL_NETWORK=10.77.0.0/16',
      'FLANNEL_SUBNET=10.77.1.1/24',
      'FLANNEL_MTU=1450',
      'FLANNEL_IPMASQ=true',
    ]);
    await fabric.add(other, { pod, ifName: 'eth1' });
    expect(fabric.states()).toEqual(['pod:eth0', 'pod:eth1']);
    await fabric.del(other, { pod, ifName: 'eth1' });
    expect(
      difference(one, fabric.snapshot()).filter(
        (line) => !/cni9|ipv[46].conf|lock other|last_res/.test(line),
      ),
    ).toEqual([]);
    await fabric.del(configuration, { pod });
    expect(fabric.states()).toEqual([]);
    expect(fabric.links(pod.netns)).toEqual(['lo']);
  });

  test('is collected when the runtime does not list it', async () => {
    const kept = fabric.pod('kept');
    await fabric.add(configuration, { pod: kept });
    const all = fabric.snapshot();
    await fabric.add(configuration, { pod });
    const valid = [{ containerID: 'kept', ifname: 'eth0' }];
    const gc = { ...configuration, 'cni.dev/valid-attachments': valid };
    expect(await fabric.call('GC', gc)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(all, fabric.snapshot())).toEqual([]);
    expect(await fabric.call('GC', { ...gc, 'cni.dev/valid-attachments': [] })).toMatchObject({ status: 0 });
    expect(left()).toEqual([]);
  });

  test('needs a free address, as STATUS knows', async () => {
    expect(await fabric.call('STATUS', configuration)).toMatchObject({ status: 0, stdout: '' });
    fabric.writeSubnet([
      'FLANNEL_NETWORK=10.77.0.0/16',
      'FLANNEL_SUBNET=10.77.1.1/30',
      'FLANNEL_MTU=1450',
      'FLANNEL_IPMASQ=true',
    ]);
    const own = fabric.flannel({ name: 'small', delegate: { bridge: 'cni9' } });
    mkdirSync(fabric.leases, { recursive: true });
    await fabric.add(own, { pod });
    expect(await fabric.fail('STATUS', own)).toMatchObject({ code: 50 });
    rmSync(fabric.subnetFile);
    expect(await fabric.fail('STATUS', own)).toMatchObject({
      code: 50,
      msg: expect.stringContaining('flanneld has not written it yet'),
    });
  });
});

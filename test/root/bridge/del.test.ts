import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

describe.if(requires('root', 'ip', 'nft'))('DEL leaves nothing', () => {
  let site: Site;
  let pod: Pod;
  let configuration: Json;
  let before: string[];
  beforeEach(async () => {
    site = new Site();
    pod = site.pod('pod');
    const ipam = site.ipam(['10.50.0.0/16', 'fd00:50::/64']);
    const keys = { isGateway: true, ipMasq: true, ipMasqBackend: 'nftables', macspoofchk: true, ipam };
    configuration = site.configuration(keys);
    before = await site.warmUp(configuration);
  });
  afterEach(() => site[Symbol.dispose]());

  test('with prevResult, and again', async () => {
    const prevResult = await site.add(configuration, { pod });
    expect(difference(before, site.snapshot())).not.toEqual([]);
    await site.del({ ...configuration, prevResult }, { pod });
    expect(difference(before, site.snapshot())).toEqual([]);
    expect(site.links(pod.netns)).toEqual(['lo']);
    await site.del({ ...configuration, prevResult }, { pod });
  });

  test('of a container that was never added', async () => {
    await site.del(configuration, { pod });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('without leases, bridge or table: all of it is gone already', async () => {
    const prevResult = await site.add(configuration, { pod });
    site.onNode('ip', 'link', 'del', 'cni0');
    site.onNode('nft', 'flush', 'ruleset');
    rmSync(site.leases, { recursive: true });
    await site.del({ ...configuration, prevResult }, { pod });
    expect(site.links().filter((name) => name.startsWith('veth'))).toEqual([]);
  });

  // The reference frees only the lease in these cases, or fails.
  const namespaces: [string, (site: Site, pod: Pod) => string][] = [
    ['without CNI_NETNS', () => ''],
    ['with CNI_NETNS, and the namespace gone', removed],
    ['with a netns path that is a regular file', regularFile],
    ['with a netns path that is another type of namespace', () => `/proc/${process.pid}/ns/mnt`],
    ['with a netns path that is a directory', ({ scratch }) => scratch.folder],
  ];
  test.each(namespaces)('%s, with prevResult or without (ours)', async (_, netnsOf) => {
    const prevResult = await site.add(configuration, { pod });
    const netns = netnsOf(site, pod);
    await site.del({ ...configuration, prevResult }, { pod, netns });
    expect(difference(before, site.snapshot())).toEqual([]);
    const other = site.pod('other');
    await site.add(configuration, { pod: other });
    await site.del(configuration, { pod: other, netns: netns === pod.netns ? removed(site, other) : netns });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('of one interface takes nothing from the other interface of the container, nor from other networks', async () => {
    await site.add(configuration, { pod, ifName: 'eth0' });
    const other = { ...configuration, name: 'other', ipam: site.ipam(['10.50.0.0/16'], { rangeStart: '' }) };
    other.ipam = { ...site.ipam([]), ranges: [[{ subnet: '10.50.0.0/16', rangeStart: '10.50.9.1' }]] };
    await site.add(other, { pod, ifName: 'eth2' });
    const kept = site.snapshot();
    await site.add(configuration, { pod, ifName: 'eth1' });
    await site.del(configuration, { pod, ifName: 'eth1' });
    expect(difference(kept, site.snapshot())).toEqual([]);
    await site.del(configuration, { pod, ifName: 'eth0', netns: '' });
    expect(site.leased('net')).toEqual([]);
    expect(site.leased('other')).toEqual(['10.50.9.1']);
    expect(site.links(pod.netns)).toEqual(['lo', 'eth2']);
  });

  test('removes the masquerade before the address can be given out again (ours)', async () => {
    await site.add(configuration, { pod });
    const added = nft(site.snapshot());
    expect(added).not.toEqual(nft(before));
    // DEL cannot free the address while we hold the lock of the pool.
    const holder = await holdLock(join(site.leases, 'net', 'lock'));
    const deleted = site.call('DEL', configuration, { pod });
    try {
      const deadline = Date.now() + 20_000;
      while (nft(site.snapshot()).join() !== nft(before).join() && Date.now() < deadline) await Bun.sleep(20);
      expect(nft(site.snapshot())).toEqual(nft(before));
      expect(site.leased()).toEqual(['10.50.0.3', 'fd00:50::3']);
    } finally {
      holder.kill('SIGKILL');
    }
    expect(await deleted).toMatchObject({ status: 0 });
    expect(site.leased()).toEqual([]);
  });
});

function removed(site: Site, pod: Pod): string {
  site.removeNamespace(pod);
  return pod.netns;
}

function regularFile(site: Site): string {
  const path = join(site.scratch.folder, 'netns');
  writeFileSync(path, '');
  return path;
}

function nft(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith('nft '));
}

/** A process that has the flock until it is killed. */
async function holdLock(path: string): Promise<ChildProcess> {
  const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 120']);
  await once(holder.stdout, 'data');
  return holder;
}

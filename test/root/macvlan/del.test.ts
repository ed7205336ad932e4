import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Wire } from './wire.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

describe.if(requires('root', 'ip', 'nft'))('DEL of a macvlan', () => {
  let wire: Wire;
  let pod: Pod;
  let configuration: Json;
  let before: string[];
  beforeEach(async () => {
    wire = new Wire();
    pod = wire.pod('pod');
    configuration = wire.configuration();
    before = await wire.warmUp(configuration);
  });
  afterEach(() => wire[Symbol.dispose]());

  const words = (line: string) => line.split(' ');

  test('leaves nothing, with prevResult, and again, and of a container that was never added', async () => {
    const prevResult = await wire.add(configuration, { pod });
    expect(difference(before, wire.snapshot())).not.toEqual([]);
    await wire.del({ ...configuration, prevResult }, { pod });
    expect(difference(before, wire.snapshot())).toEqual([]);
    expect(wire.links(pod.netns)).toEqual(['lo']);
    await wire.del({ ...configuration, prevResult }, { pod });
    await wire.del(configuration, { pod: wire.pod('never') });
  });

  test('frees the lease when the link, or the leases, or the master are gone already', async () => {
    await wire.add(configuration, { pod });
    wire.inPod(pod, ...words('ip link del eth0'));
    await wire.del(configuration, { pod });
    expect(wire.leased()).toEqual([]);
    await wire.add(configuration, { pod });
    wire.onNode(...words('ip link del up0'));
    await wire.del(configuration, { pod });
    expect(wire.leased()).toEqual([]);
    rmSync(wire.leases, { recursive: true });
    await wire.del(configuration, { pod });
  });

  const namespaces: [string, () => string][] = [
    ['without CNI_NETNS', () => ''],
    ['with CNI_NETNS, and the namespace gone', () => removed()],
    ['with a netns path that is a regular file', () => regularFile()],
    ['with a netns path that is a directory', () => wire.scratch.folder],
  ];
  test.each(namespaces)('%s frees the lease', async (_, netnsOf) => {
    const prevResult = await wire.add(configuration, { pod });
    await wire.del({ ...configuration, prevResult }, { pod, netns: netnsOf() });
    // The link stays where its namespace does, and goes with it in the kernel's own time.
    expect(wire.leased()).toEqual([]);
  });

  test.each([
    ['a veth', 'ip link add eth0 type veth peer name eth1'],
    ['a bridge', 'ip link add eth0 type bridge'],
  ])('leaves %s alone that has the name', async (_, line) => {
    wire.inPod(pod, ...words(line));
    await wire.del(configuration, { pod });
    expect(wire.links(pod.netns)).toContain('eth0');
  });

  test('leaves alone what another network has made under the name since', async () => {
    const other = { ...configuration, name: 'other' };
    await wire.add(other, { pod });
    await wire.del(configuration, { pod });
    expect(wire.links(pod.netns)).toEqual(['lo', 'eth0']);
    expect(wire.leased('other')).toHaveLength(1);
    await wire.del(other, { pod });
    expect(wire.links(pod.netns)).toEqual(['lo']);
  });

  test('of one interface takes nothing from the other one of the container', async () => {
    await wire.add(configuration, { pod });
    const kept = wire.snapshot();
    await wire.add(configuration, { pod, ifName: 'eth1' });
    await wire.del(configuration, { pod, ifName: 'eth1' });
    expect(difference(kept, wire.snapshot())).toEqual([]);
    expect(wire.links(pod.netns)).toEqual(['lo', 'eth0']);
  });

  test('removes what an ADD that was killed has left half made', async () => {
    await wire.add(configuration, { pod });
    const [{ ifalias }] = JSON.parse(wire.inPod(pod, ...words('ip -j link show eth0')));
    const [, ownerHash = ''] = ifalias.split(/[- ]/);
    // As it is between its making and its naming.
    wire.inPod(pod, ...words('ip link set eth0 down'));
    wire.inPod(pod, ...words(`ip link set eth0 name macv${ownerHash.slice(0, 11)}`), 'alias', '');
    const { details } = await wire.fail('ADD', configuration, { pod });
    expect(details).toContain('a DEL comes before another ADD');
    await wire.del(configuration, { pod });
    expect(wire.links(pod.netns)).toEqual(['lo']);
    await wire.add(configuration, { pod });
  });

  test('with keys that cannot be read removes the link, and says of the ipam that the lease stays', async () => {
    await wire.add(configuration, { pod });
    const broken = { ...configuration, mode: 5, mtu: 'x', ipam: 5 };
    const { code, msg } = await wire.fail('DEL', broken, { pod });
    expect(code).toBe(7);
    expect(msg).toContain('ipam: 5 is not an object');
    expect(wire.links(pod.netns)).toEqual(['lo']);
    await wire.del({ ...configuration, mode: 5, mtu: 'x' }, { pod }).catch(() => {});
    expect(wire.leased()).toEqual([]);
  });

  function removed(): string {
    wire.removeNamespace(pod);
    return pod.netns;
  }

  function regularFile(): string {
    const path = join(wire.scratch.folder, 'netns');
    writeFileSync(path, '');
    return path;
  }
});

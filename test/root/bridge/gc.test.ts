import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

// The reference bridge and host-local have no GC: it succeeds and does nothing.
describe.if(requires('root', 'ip', 'nft'))('GC (ours)', () => {
  let site: Site;
  let pods: Pod[];
  let configuration: Json;
  let none: string[];
  let all: string[];
  beforeEach(async () => {
    site = new Site();
    pods = ['one', 'two'].map((name) => site.pod(name));
    const ipam = site.ipam(['10.50.0.0/16', 'fd00:50::/64']);
    const keys = { cniVersion: '1.1.0', isGateway: true, ipMasq: true, macspoofchk: true, ipam };
    configuration = site.configuration(keys);
    none = await site.warmUp(configuration);
    for (const pod of pods) await site.add(configuration, { pod });
    all = site.snapshot();
  });
  afterEach(() => site[Symbol.dispose]());

  const gc = (keys: object) => site.call('GC', { ...configuration, ...keys });
  const attachment = (containerID: string, ifname = 'eth0') => ({ containerID, ifname });
  const valid = 'cni.dev/valid-attachments';
  const legacy = 'cni.dev/attachments';

  test.each([
    ['no list', {}],
    ['null', { [valid]: null }],
    ['null beside null', { [valid]: null, [legacy]: null }],
    ['all listed', { [valid]: [attachment('one'), attachment('two')] }],
    ['all listed by the older name', { [legacy]: [attachment('two'), attachment('one')] }],
    [
      'all listed, and the older name empty',
      { [valid]: [attachment('one'), attachment('two')], [legacy]: [] },
    ],
  ])('%s: nothing is taken', async (_, keys) => {
    expect(await gc(keys)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(all, site.snapshot())).toEqual([]);
  });

  test.each([
    ['an empty list', { [valid]: [] }],
    ['an empty list by the older name', { [legacy]: [] }],
    ['an empty list, and another by the older name', { [valid]: [], [legacy]: [attachment('one')] }],
    ['other containers', { [valid]: [attachment('three')] }],
    ['other interfaces of them', { [valid]: [attachment('one', 'eth1'), attachment('two', 'eth1')] }],
  ])('%s: leases, links and rules of all are taken', async (_, keys) => {
    expect(await gc(keys)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(none, site.snapshot())).toEqual([]);
    for (const pod of pods) expect(site.links(pod.netns)).toEqual(['lo']);
  });

  test('takes only what is not listed', async () => {
    const only = { [valid]: [attachment('two')] };
    await site.del(configuration, { pod: pods[0]! });
    const kept = site.snapshot();
    await site.add(configuration, { pod: pods[0]! });
    expect(await gc(only)).toMatchObject({ status: 0 });
    expect(difference(kept, site.snapshot())).toEqual([]);
  });

  test('takes nothing of other networks on the same bridge, in the same pool', async () => {
    const ranges = [[{ subnet: '10.50.0.0/16', rangeStart: '10.50.9.1' }]];
    const other = { ...configuration, name: 'other', ipam: { ...site.ipam([]), ranges } };
    for (const pod of pods) await site.del(configuration, { pod });
    await site.add(other, { pod: pods[0]!, ifName: 'eth1' });
    const kept = site.snapshot();
    for (const pod of pods) await site.add(configuration, { pod });
    expect(await gc({ [valid]: [] })).toMatchObject({ status: 0 });
    // A directory of leases has come with the first ADD, and stays.
    expect(difference(kept, site.snapshot())).toEqual([]);
    expect(site.leased('other')).toEqual(['10.50.9.1']);
    expect(site.links(pods[0]!.netns)).toEqual(['lo', 'eth1']);
  });

  test('frees what is left of a container whose namespace is gone', async () => {
    site.removeNamespace(pods[0]!);
    expect(await gc({ [valid]: [attachment('two')] })).toMatchObject({ status: 0 });
    expect(site.leased()).toHaveLength(2);
    expect(site.links().filter((name) => name.startsWith('veth'))).toHaveLength(1);
  });

  test('links that are not by us stay, whatever their name or alias', async () => {
    const host = site.links().find((name) => name.startsWith('veth')) ?? '';
    const [{ ifalias }] = JSON.parse(site.onNode('ip', '-j', '-d', 'link', 'show', host));
    site.onNode('ip', 'link', 'add', 'veth01234567890', 'type', 'veth', 'peer', 'name', 'peer0');
    site.onNode('ip', 'link', 'set', 'veth01234567890', 'master', 'cni0');
    site.onNode('ip', 'link', 'set', 'peer0', 'alias', ifalias);
    expect(await gc({ [valid]: [] })).toMatchObject({ status: 0 });
    expect(site.links()).toEqual(expect.arrayContaining(['veth01234567890', 'peer0']));
    expect(site.links()).not.toContain(host);
  });

  test('below 1.1.0 there is none', async () => {
    expect(await site.fail('GC', { ...configuration, cniVersion: '1.0.0' })).toMatchObject({ code: 1 });
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { addressSeenBy, Server } from '../packets.ts';
import { type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

/** What was left by somebody who went without DEL, and is in the way of whoever gets the same address. */
describe.if(requires('root', 'ip', 'nft', 'ping'))('an address that is given out again (ours)', () => {
  let site: Site;
  let old: Pod;
  let next: Pod;
  let configuration: Json;
  beforeEach(async () => {
    site = new Site();
    site.addOutside();
    [old, next] = [site.pod('old'), site.pod('next')];
    const ranges = [[{ subnet: '10.50.0.0/16', rangeStart: '10.50.0.2', rangeEnd: '10.50.0.2' }]];
    const ipam = { ...site.ipam([]), ranges, routes: [{ dst: '0.0.0.0/0' }] };
    configuration = site.configuration({
      cniVersion: '1.1.0',
      isGateway: true,
      ipMasq: true,
      macspoofchk: true,
      ipam,
    });
  });
  afterEach(() => site[Symbol.dispose]());

  /** The old one's namespace and lease are gone, its rules are not. */
  async function leaveRules(): Promise<void> {
    await site.add(configuration, { pod: old });
    site.removeNamespace(old);
    rmSync(join(site.leases, 'net', '10.50.0.2'));
  }

  test('the masquerade is the new one’s, and the old one’s late DEL takes nothing from it', async () => {
    const before = await site.warmUp(configuration);
    await leaveRules();
    await site.add(configuration, { pod: next });
    await site.del(configuration, { pod: old });
    using _server = await Server.start(site.outside);
    expect(addressSeenBy('192.0.2.2', next.netns)).toBe('192.0.2.1');
    expect(site.leased()).toEqual(['10.50.0.2']);
    await site.del(configuration, { pod: next });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('GC that lists the new one takes what the old one left', async () => {
    await site.warmUp(configuration);
    await leaveRules();
    await site.add(configuration, { pod: next });
    const kept = site.snapshot().filter((line) => !line.includes('old'));
    const attachments = [{ containerID: next.name, ifname: 'eth0' }];
    const gc = { ...configuration, 'cni.dev/valid-attachments': attachments };
    expect(await site.call('GC', gc)).toMatchObject({ status: 0 });
    expect(difference(kept, site.snapshot()).filter((line) => line.startsWith('- link'))).toEqual([]);
    expect(site.snapshot().join('\n')).not.toMatch(/\bold\b/);
    using _server = await Server.start(site.outside);
    expect(addressSeenBy('192.0.2.2', next.netns)).toBe('192.0.2.1');
  });

  test('a network that does not masquerade any more: what DEL does not look for is taken by GC', async () => {
    const before = await site.warmUp(configuration);
    await site.add(configuration, { pod: old });
    const changed = { ...configuration, ipMasq: false, macspoofchk: false };
    await site.del(changed, { pod: old });
    expect(await site.call('GC', { ...changed, 'cni.dev/valid-attachments': [] })).toMatchObject({
      status: 0,
    });
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

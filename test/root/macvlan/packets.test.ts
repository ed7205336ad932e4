import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { addressSeenBy, answersPing, isSilent, Server } from '../packets.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Wire } from './wire.ts';

// biome-ignore lint/suspicious/noExplicitAny: results are read as JSON.
type Json = any;

describe.if(requires('root', 'ip', 'nft', 'ping'))('packets of a pod with a macvlan', () => {
  let wire: Wire;
  let one: Pod;
  let two: Pod;
  beforeEach(() => {
    wire = new Wire();
    [one, two] = [wire.pod('one'), wire.pod('two')];
  });
  afterEach(() => wire[Symbol.dispose]());

  /** The MAC that the host outside has of an address. */
  const macSeenOutside = (address: string): string => {
    const shown = wire.inPod({ name: '', netns: wire.outside }, 'ip', '-j', 'neigh', 'show', address);
    return JSON.parse(shown)[0]?.lladdr;
  };

  test('in mode bridge reach the host outside and each other, in IPv4 and IPv6', async () => {
    const configuration = wire.configuration({ ipam: wire.onWire([4, 6]) });
    await wire.add(configuration, { pod: one });
    await wire.add(configuration, { pod: two });
    using _outside = await Server.start(wire.outside);
    using _two = await Server.start(two.netns);
    for (const [host, own] of [
      ['192.0.2.2', '192.0.2.100'],
      ['fd00:99::2', 'fd00:99::100'],
      ['192.0.2.101', '192.0.2.100'],
      ['fd00:99::101', 'fd00:99::100'],
    ] as const) {
      expect(answersPing(one.netns, host)).toBeTrue();
      expect(addressSeenBy(host, one.netns)).toBe(own);
    }
  });

  test.each(['private', 'vepa'])('in mode %s reach the host outside, and not each other', async (mode) => {
    const configuration = wire.configuration({ mode });
    for (const pod of [one, two]) await wire.add(configuration, { pod });
    expect(answersPing(one.netns, '192.0.2.2')).toBeTrue();
    expect(answersPing(two.netns, '192.0.2.2')).toBeTrue();
    expect(isSilent(one.netns, '192.0.2.101')).toBeTrue();
  });

  test('in mode passthru reach the host outside with the MAC of the master, which is taken then', async () => {
    const configuration = wire.configuration({ mode: 'passthru' });
    await wire.add(configuration, { pod: one });
    expect(answersPing(one.netns, '192.0.2.2')).toBeTrue();
    expect(macSeenOutside('192.0.2.100')).toBe(wire.link(wire.node, 'up0').address);
    const { msg, details } = await wire.fail('ADD', configuration, { pod: two });
    expect(msg).toContain('failed to create macvlan');
    expect(details).toContain('"up0"');
    expect(wire.links(two.netns)).toEqual(['lo']);
  });

  test.each([
    ['IP=192.0.2.20', '192.0.2.20', undefined],
    ['IP=192.0.2.20;MAC=c2:11:22:33:44:55', '192.0.2.20', 'c2:11:22:33:44:55'],
    ['IgnoreUnknown=1;K8S_POD_NAME=x;MAC=c2:11:22:33:44:55;IP=192.0.2.20', '192.0.2.20', 'c2:11:22:33:44:55'],
    ['MAC=c2:11:22:33:44:55', '192.0.2.100', 'c2:11:22:33:44:55'],
  ])('with CNI_ARGS="%s" come from what was asked for', async (args, address, mac) => {
    const ipam = wire.onWire([4]);
    ipam.ranges = [[{ subnet: '192.0.2.0/24', rangeStart: address, gateway: '192.0.2.2' }]];
    const { ips, interfaces } = await wire.add(wire.configuration({ ipam }), { pod: one, args });
    expect(ips[0].address).toBe(`${address}/24`);
    using _outside = await Server.start(wire.outside);
    expect(addressSeenBy('192.0.2.2', one.netns)).toBe(address);
    expect(macSeenOutside(address)).toBe(interfaces[0].mac);
    if (mac !== undefined) expect(interfaces[0].mac).toBe(mac);
  });

  test('a new owner of an address announces itself: the host outside need not ask', async () => {
    const call = (pod: Pod, mac: string) => ({ pod, args: `IP=192.0.2.20;MAC=${mac}` });
    const ipam = { ...wire.onWire(), ranges: [[{ subnet: '192.0.2.0/24' }]] };
    const configuration = wire.configuration({ ipam });
    await wire.add(configuration, call(one, 'c2:11:22:33:44:55'));
    expect(answersPing(one.netns, '192.0.2.2')).toBeTrue();
    expect(macSeenOutside('192.0.2.20')).toBe('c2:11:22:33:44:55');
    await wire.del(configuration, call(one, 'c2:11:22:33:44:55'));
    await wire.add(configuration, call(two, 'c2:11:22:33:44:66'));
    const deadline = Date.now() + 10_000;
    while (macSeenOutside('192.0.2.20') !== 'c2:11:22:33:44:66' && Date.now() < deadline) await Bun.sleep(10);
    expect(macSeenOutside('192.0.2.20')).toBe('c2:11:22:33:44:66');
  });

  test('an IPv6 address that another host on the wire has is an error, and nothing is left', async () => {
    const before = await wire.warmUp(wire.configuration({ ipam: wire.onWire([6]) }));
    wire.inPod({ name: '', netns: wire.outside }, ...'ip addr add fd00:99::101/64 dev up0 nodad'.split(' '));
    const { msg } = await wire.fail('ADD', wire.configuration({ ipam: wire.onWire([6]) }), { pod: one });
    expect(msg).toContain('fd00:99::101');
    expect(msg).toContain('in use by somebody else');
    expect(wire.links(one.netns)).toEqual(['lo']);
    expect(difference(before, wire.snapshot())).toEqual([]);
  });

  test('70-macvlan.conflist in a network list, with nothing but our plugins', () => {
    const list = readFileSync(join(import.meta.dir, '../../../conflists/70-macvlan.conflist'), 'utf8');
    const document = JSON.parse(list);
    document.plugins[0].ipam.dataDir = wire.leases;
    const chain = (command: string, pod: Pod, result: unknown = null): Json => {
      const attachment = { containerID: pod.name, netns: pod.netns, ifName: 'eth0' };
      const runtime = { ...attachment, args: '', cniPath: ours.folder, timeoutMs: 60_000 };
      const words = [command, JSON.stringify(document), JSON.stringify(runtime), JSON.stringify(result)];
      return JSON.parse(wire.onNode(process.execPath, join(import.meta.dir, '../chain-run.ts'), ...words));
    };
    chain('del', one, chain('add', one));
    const before = wire.snapshot();
    const results = [chain('add', one), chain('add', two)];
    expect(results[0].ips).toHaveLength(1);
    expect(answersPing(one.netns, '192.0.2.2')).toBeTrue();
    expect(answersPing(one.netns, results[1].ips[0].address.split('/')[0])).toBeTrue();
    for (const [index, pod] of [one, two].entries()) {
      expect(chain('check', pod, results[index])).toBeNull();
      expect(chain('del', pod, results[index])).toBeNull();
      expect(chain('del', pod, results[index])).toBeNull();
    }
    expect(difference(before, wire.snapshot())).toEqual([]);
  });
});

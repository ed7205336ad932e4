import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { type Implementation, ours, reference } from '../implementations.ts';
import { addressSeenBy, answersPing, Server } from '../packets.ts';
import { Site } from '../site.ts';
import { difference } from '../snapshot.ts';

const subnets = ['10.50.0.0/16', 'fd00:50::/64'];
const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

const kinds: [string, object, string[]][] = [
  ['plain', { isGateway: true }, subnets.slice(0, 1)],
  ['IPv6', { isGateway: true }, subnets.slice(1)],
  [
    'both families, isolated, with hairpin',
    { isGateway: true, hairpinMode: true, portIsolation: true },
    subnets,
  ],
  ['masqueraded by nftables', { isGateway: true, ipMasq: true, ipMasqBackend: 'nftables' }, subnets],
];

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('beside the reference', () => {
  const ways: [Implementation, Implementation][] = [
    [ours, reference],
    [reference, ours],
  ];
  const cases = kinds.flatMap((kind) => ways.map((way) => [...way, ...kind] as const));

  test.each(
    cases.map((one) => [`${one[2]}: ADD by ${one[0].name}, CHECK and DEL by ${one[1].name}`, one] as const),
  )('%s', async (_, [first, second, , keys, ranges]) => {
    using site = new Site();
    site.addOutside();
    // The reference's DEL fails with nftables rules when it also finds an iptables that knows no such chain.
    const path = pathWithNft(site);
    const configuration = site.configuration({
      ...keys,
      ipam: site.ipam(ranges, { routes: routesOf(ranges) }),
    });
    // What stays when all is done (bridge, base chains, forwarding) is there before.
    await site.warmUp(configuration, { by: first, path });
    const before = await site.warmUp(configuration, { by: second, path });
    const pod = site.pod('pod');
    const prevResult = await site.add(configuration, { pod, by: first, path });
    expect(answersPing(pod.netns, prevResult.ips[0].gateway)).toBeTrue();
    if ('ipMasq' in keys) {
      using _server = await Server.start(site.outside);
      expect(addressSeenBy('192.0.2.2', pod.netns)).toBe('192.0.2.1');
    }
    const second_ = { pod, by: second, path };
    expect(await site.call('CHECK', { ...configuration, prevResult }, second_)).toMatchObject({ status: 0 });
    await site.del({ ...configuration, prevResult }, second_);
    if ('ipMasq' in keys && second === reference) {
      // It does not know of our table: what it leaves there is for the next GC.
      const gc = { ...configuration, cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] };
      expect(await site.call('GC', gc)).toMatchObject({ status: 0 });
    }
    expect(difference(before, site.snapshot())).toEqual([]);
    expect(site.links(pod.netns)).toEqual(['lo']);
  });

  test("masqueraded by the reference's iptables: ours deletes all but the rules, and says how they are removed (ours)", async () => {
    using site = new Site();
    const keys = { isGateway: true, ipMasq: true, ipMasqBackend: 'iptables' };
    const configuration = site.configuration(keys);
    const pod = site.pod('pod');
    const prevResult = await site.add(configuration, { pod, by: reference });
    const call = { pod };
    expect(await site.call('CHECK', { ...configuration, prevResult }, call)).toMatchObject({ status: 0 });
    const answer = await site.call('DEL', { ...configuration, prevResult }, call);
    expect(answer).toMatchObject({ status: 0, stdout: '' });
    expect(site.leased()).toEqual([]);
    expect(site.links().filter((name) => name.startsWith('veth'))).toEqual([]);
    const commands = answer.stderr.match(/iptables .*-[DFX] .*/g) ?? [];
    expect(commands.length).toBeGreaterThan(0);
  });

  test('one pool, 20 ADDs by each at once, each deleted by the other', async () => {
    using site = new Site();
    const configuration = site.configuration({ isGateway: true });
    const pods = Array.from({ length: 40 }, (_, index) => site.pod(`p${index}`));
    const by = (index: number) => (index % 2 ? reference : ours);
    const results = await Promise.all(
      pods.map((pod, index) => site.add(configuration, { pod, by: by(index) })),
    );
    const addresses = results.map(({ ips }) => ips[0].address.split('/')[0]);
    expect(new Set(addresses).size).toBe(40);
    expect(site.leased().sort()).toEqual(addresses.sort());
    await Promise.all(
      pods.map((pod, index) =>
        site.del({ ...configuration, prevResult: results[index] }, { pod, by: by(index + 1) }),
      ),
    );
    expect(site.leased()).toEqual([]);
    expect(site.links()).not.toContainEqual(expect.stringMatching(/^veth/));
  });
});

function routesOf(ranges: readonly string[]): object[] {
  return routes.filter(({ dst }) => ranges.some((range) => range.includes(':') === dst.includes(':')));
}

/** A PATH with `nft` alone. */
function pathWithNft(site: Site): string {
  const folder = join(site.scratch.folder, 'path');
  mkdirSync(folder);
  const nft = Bun.which('nft', { PATH: ours.path });
  if (nft !== null) symlinkSync(nft, join(folder, 'nft'));
  return folder;
}

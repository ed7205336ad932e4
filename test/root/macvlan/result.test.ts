import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { answered } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { type Implementation, ours, reference } from '../implementations.ts';
import { answersPing } from '../packets.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Wire } from './wire.ts';

// biome-ignore lint/suspicious/noExplicitAny: results are read as JSON.
type Json = any;

let wire: Wire;
let pod: Pod;
beforeEach(() => {
  wire = new Wire();
  pod = wire.pod('pod');
});
afterEach(() => wire[Symbol.dispose]());

const words = (line: string) => line.split(' ');

describe.if(requires('root', 'ip', 'nft'))('the result of a macvlan', () => {
  test('is the one interface as it is in the kernel, with its MTU in 1.1.0; its alias says whose it is', async () => {
    const result = await wire.add(wire.configuration({ cniVersion: '1.1.0', mtu: 1400 }), { pod });
    const { address, ifalias, linkinfo } = wire.link(pod.netns, 'eth0');
    expect(result).toEqual({
      cniVersion: '1.1.0',
      interfaces: [{ name: 'eth0', mac: address, mtu: 1400, sandbox: pod.netns }],
      ips: [{ address: '192.0.2.100/24', gateway: '192.0.2.2', interface: 0 }],
    });
    expect(linkinfo).toMatchObject({ info_kind: 'macvlan', info_data: { mode: 'bridge' } });
    for (const word of ['net', 'pod', 'eth0']) expect(ifalias).toContain(word);
  });

  test('has dns of host-local, unless the configuration has its own', async () => {
    await Bun.write(`${wire.scratch.folder}/resolv.conf`, 'nameserver 10.9.9.9\n');
    const ipam = wire.onWire([4], { resolvConf: `${wire.scratch.folder}/resolv.conf` });
    expect((await wire.add(wire.configuration({ ipam }), { pod })).dns).toEqual({
      nameservers: ['10.9.9.9'],
    });
    const own = wire.configuration({ ipam, dns: { nameservers: ['10.8.8.8'] } });
    expect((await wire.add(own, { pod, ifName: 'eth1' })).dns).toEqual({ nameservers: ['10.8.8.8'] });
  });

  test.each([
    ['named', 'base0', []],
    ['by the default route of the container', undefined, ['route add default dev base0']],
  ])('linkInContainer: the master is a link of the container, %s', async (_, master, more) => {
    for (const line of [
      'link add base0 type veth peer name base1',
      'link set base0 up',
      'link set base1 up',
      ...more,
    ]) {
      wire.inPod(pod, ...words(`ip ${line}`));
    }
    const before = [wire.snapshot(), wire.links(pod.netns)] as const;
    const configuration = wire.configuration({ cniVersion: '1.1.0', linkInContainer: true, master });
    const prevResult = await wire.add(configuration, { pod });
    expect(wire.link(pod.netns, 'eth0').link).toBe('base0');
    const checked = { ...configuration, prevResult };
    expect(await wire.call('CHECK', checked, { pod })).toMatchObject({ status: 0, stdout: '' });
    await wire.del(checked, { pod });
    expect(wire.links(pod.netns)).toEqual(before[1]);
    const elsewhere = { ...configuration, master: 'up0' };
    const { msg } = await wire.fail('ADD', elsewhere, { pod });
    expect(msg).toBe('failed to lookup master "up0": there is no such link in the container');
    const left = difference(before[0], wire.snapshot());
    expect(left.filter((line) => !/ lock net |last_reserved_ip/.test(line))).toEqual([]);
  });

  test('as a delegate of debug it is the built-in one', async () => {
    const journal = `${wire.scratch.folder}/journal.ndjson`;
    const delegate = wire.configuration();
    const log = { cniOutput: false, journal: { path: journal } };
    const configuration = { cniVersion: '1.0.0', name: 'net', type: 'debug', delegate, ...log };
    const result = await wire.add(configuration, { pod });
    expect(result.ips[0].address).toBe('192.0.2.100/24');
    const text = await Bun.file(journal).text();
    expect(text).toContain('"inProcess":true');
    expect(text).toContain('macvlan: create macvlan');
    await wire.del({ ...configuration, prevResult: result }, { pod });
    expect(wire.links(pod.netns)).toEqual(['lo']);
  });
});

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

describe.if(requires('root', 'ip', 'nft', 'ping', 'reference-plugins'))(
  'macvlan beside the reference',
  () => {
    test('answers the same in each version', async () => {
      const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00:99::9' }];
      const keys = { ipam: wire.onWire([4, 6], { routes }), dns: { nameservers: ['192.0.2.2'] } };
      for (const cniVersion of versions) {
        const answers: Json[] = [];
        for (const by of [ours, reference]) {
          const one = wire.pod(`v${cniVersion}${by.name}`);
          const configuration = wire.configuration({ ...keys, cniVersion });
          answers.push(comparable(await wire.add(configuration, { pod: one, by }), one));
          await wire.del(configuration, { pod: one, by });
        }
        expect({ cniVersion, result: answers[0] }).toEqual({ cniVersion, result: answers[1] });
      }
    });

    test('VERSION answers the same versions', async () => {
      const stdin = { cniVersion: '1.0.0', type: 'macvlan' };
      const [our, their] = [
        await wire.call('VERSION', stdin),
        await wire.call('VERSION', stdin, { by: reference }),
      ];
      expect(answered(our).supportedVersions).toEqual(answered(their).supportedVersions);
    });

    const ways: [Implementation, Implementation][] = [
      [ours, reference],
      [reference, ours],
    ];
    const cases = ways.flatMap(([first, second]) =>
      ['bridge', 'passthru', 'no IPAM'].map(
        (kind) => [kind, first.name, second.name, first, second] as const,
      ),
    );
    test.each(cases)('%s: ADD by %s, CHECK and DEL by %s', async (kind, _, __, first, second) => {
      const ipam = kind === 'no IPAM' ? {} : wire.onWire([4, 6], { routes: [{ dst: '0.0.0.0/0' }] });
      const mode = kind === 'passthru' ? kind : 'bridge';
      const configuration = wire.configuration({ ipam, mode });
      const before = await wire.warmUp(configuration, { by: first });
      const prevResult = await wire.add(configuration, { pod, by: first });
      if (kind !== 'no IPAM') expect(answersPing(pod.netns, '192.0.2.2')).toBeTrue();
      const checked = { ...configuration, prevResult };
      expect(await wire.call('CHECK', checked, { pod, by: second })).toMatchObject({ status: 0, stdout: '' });
      await wire.del(checked, { pod, by: second });
      expect(difference(before, wire.snapshot())).toEqual([]);
      expect(wire.links(pod.netns)).toEqual(['lo']);
    });
  },
);

/** Without what is random, what is the next free address, and the MTU that only ours tells. */
function comparable(result: Json, { netns }: Pod): Json {
  const text = JSON.stringify(result)
    .replaceAll(/"([0-9a-f]{2}:){5}[0-9a-f]{2}"/g, '"<mac>"')
    .replaceAll(/"(192\.0\.2\.\d+\/24|fd00:99::[0-9a-f]+\/64)"/g, '"<address>"')
    .replaceAll(netns, '<netns>')
    .replaceAll(/,"mtu":\d+|"mtu":\d+,/g, '');
  return JSON.parse(text);
}

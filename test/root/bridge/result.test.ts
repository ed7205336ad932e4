import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { answered } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { reference } from '../implementations.ts';
import { type Pod, Site } from '../site.ts';

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

// biome-ignore lint/suspicious/noExplicitAny: results and the answers of `ip` are read as JSON.
type Json = any;

describe.if(requires('root', 'ip', 'nft'))('the result of ADD', () => {
  let site: Site;
  let pod: Pod;
  beforeEach(() => {
    site = new Site();
    pod = site.pod('pod');
  });
  afterEach(() => site[Symbol.dispose]());

  const link = (netns: string, name: string): Json =>
    JSON.parse(site.inPod({ name, netns }, 'ip', '-d', '-j', 'link', 'show', name))[0];
  const routes = (family: string): Json[] =>
    JSON.parse(site.inPod(pod, 'ip', '-j', family, 'route', 'show', 'dev', 'eth0'));
  const v4 = (keys: object = {}) => site.ipam(['10.50.0.0/16'], keys);

  test('names the bridge, the host end and the container end as they are in the kernel', async () => {
    const { interfaces } = await site.add(site.configuration({ isGateway: true }), { pod });
    const [bridge, host, container] = interfaces;
    expect(interfaces).toHaveLength(3);
    expect([bridge.sandbox, host.sandbox]).toEqual([undefined, undefined]);
    expect(bridge).toMatchObject({ name: 'cni0', mac: link(site.node, 'cni0').address });
    expect(host).toMatchObject({ name: host.name, mac: link(site.node, host.name).address });
    expect(link(site.node, host.name)).toMatchObject({ master: 'cni0', operstate: 'UP' });
    expect(container).toMatchObject({
      name: 'eth0',
      mac: link(pod.netns, 'eth0').address,
      sandbox: pod.netns,
    });
    expect(link(pod.netns, 'eth0').link_index).toBe(link(site.node, host.name).ifindex);
  });

  test('the name and the alias of the host end say whose it is (ours)', async () => {
    const { interfaces } = await site.add(site.configuration(), { pod });
    expect(interfaces[1].name).toMatch(/^veth[0-9a-f]{11}$/);
    const { ifalias } = link(site.node, interfaces[1].name);
    for (const word of ['net', pod.name, 'eth0']) expect(ifalias).toContain(word);
  });

  test('the same attachment has the same host end each time, another one another (ours)', async () => {
    const name = async (call: object) => {
      const { interfaces } = await site.add(site.configuration(), { pod, ...call });
      await site.del(site.configuration(), { pod, ...call });
      return interfaces[1].name;
    };
    const first = await name({});
    expect(await name({})).toBe(first);
    expect(await name({ ifName: 'eth1' })).not.toBe(first);
    expect(await name({ containerID: 'pod2' })).not.toBe(first);
  });

  test('1.1.0 has the MTU of every interface, and 0.4.0 knows no such key (ours)', async () => {
    const { interfaces } = await site.add(site.configuration({ cniVersion: '1.1.0', mtu: 1400 }), { pod });
    expect(interfaces.map(({ mtu }: Json) => mtu)).toEqual([1400, 1400, 1400]);
    const plain = await site.add(site.configuration({ cniVersion: '0.4.0', mtu: 1400 }), {
      pod,
      ifName: 'eth1',
    });
    for (const one of plain.interfaces) expect(one).not.toHaveProperty('mtu');
  });

  test('routes[].mtu, advmss and priority are applied and reported (ours)', async () => {
    const asked = [
      { dst: '10.60.0.0/16', mtu: 1300, advmss: 1200, priority: 77 },
      { dst: 'fd00:60::/64', mtu: 1310, advmss: 1210, priority: 78 },
      { dst: '10.61.0.0/16', gw: '10.50.0.9', priority: 5 },
    ];
    const ipam = site.ipam(['10.50.0.0/16', 'fd00:50::/64'], { routes: asked });
    const result = await site.add(site.configuration({ cniVersion: '1.1.0', isGateway: true, ipam }), {
      pod,
    });
    expect(result.routes).toEqual(asked);
    const metrics = (mtu: number, advmss: number) => [expect.objectContaining({ mtu, advmss })];
    expect(routes('-4')).toContainEqual(
      expect.objectContaining({ dst: '10.60.0.0/16', metric: 77, metrics: metrics(1300, 1200) }),
    );
    expect(routes('-6')).toContainEqual(
      expect.objectContaining({ dst: 'fd00:60::/64', metric: 78, metrics: metrics(1310, 1210) }),
    );
    expect(routes('-4')).toContainEqual(
      expect.objectContaining({ dst: '10.61.0.0/16', gateway: '10.50.0.9', metric: 5 }),
    );
  });

  test('IPv6 addresses can be used at once: none is tentative', async () => {
    const ipam = site.ipam(['fd00:50::/64']);
    await site.add(site.configuration({ ipam, isGateway: true }), { pod });
    const [{ addr_info }] = JSON.parse(site.inPod(pod, 'ip', '-j', '-6', 'addr', 'show', 'dev', 'eth0'));
    const own = addr_info.filter(({ scope }: Json) => scope === 'global');
    expect(own).toEqual([expect.objectContaining({ local: 'fd00:50::2' })]);
    expect(own[0]).not.toHaveProperty('tentative');
  });

  test.each([
    ['CNI_ARGS', {}, 'IgnoreUnknown=1;MAC=02:00:00:00:00:01', '02:00:00:00:00:01'],
    [
      'args.cni.mac before CNI_ARGS',
      { args: { cni: { mac: '02:00:00:00:00:02' } } },
      'IgnoreUnknown=1;MAC=02:00:00:00:00:01',
      '02:00:00:00:00:02',
    ],
    [
      'runtimeConfig.mac before both',
      { args: { cni: { mac: '02:00:00:00:00:02' } }, runtimeConfig: { mac: '02:00:00:00:00:03' } },
      'IgnoreUnknown=1;MAC=02:00:00:00:00:01',
      '02:00:00:00:00:03',
    ],
  ])('the MAC is that of %s', async (_, keys, args, mac) => {
    const { interfaces } = await site.add(site.configuration(keys), { pod, args });
    expect(interfaces[2].mac).toBe(mac);
    expect(link(pod.netns, 'eth0').address).toBe(mac);
  });

  test('resolvConf, requested addresses and the dns key', async () => {
    const resolvConf = `${site.scratch.folder}/resolv.conf`;
    await Bun.write(resolvConf, 'nameserver 10.9.9.9\nsearch one two\n');
    const ipam = v4({ resolvConf });
    const call = { pod, args: 'IgnoreUnknown=1;IP=10.50.7.7' };
    const result = await site.add(site.configuration({ ipam }), call);
    expect(result.ips[0].address).toBe('10.50.7.7/16');
    expect(result.dns).toEqual({ nameservers: ['10.9.9.9'], search: ['one', 'two'] });
    const own = site.configuration({ ipam, dns: { nameservers: ['10.8.8.8'] } });
    const other = await site.add(own, { pod: site.pod('other') });
    expect(other.dns).toEqual({ nameservers: ['10.8.8.8'] });
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('the result in each version', () => {
  const kinds: [string, (site: Site) => object][] = [
    ['plain', (site) => ({ isDefaultGateway: true, ipam: site.ipam(['10.50.0.0/16']) })],
    [
      'both families, with routes and dns',
      (site) => ({
        isGateway: true,
        ipam: site.ipam(['10.50.0.0/16', 'fd00:50::/64'], {
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00:50::ff' }],
        }),
        dns: { nameservers: ['10.50.0.1'] },
      }),
    ],
  ];

  test.each(kinds)('%s: as the reference answers', async (_, keys) => {
    using site = new Site();
    // Ours and the reference one after the other, each for a pod of its own, so that no test needs seven sites.
    for (const cniVersion of versions) {
      const answers: Json[] = [];
      for (const by of [undefined, reference]) {
        const pod = site.pod(`v${cniVersion}${by ? 'r' : 'o'}`.replaceAll('.', '-'));
        const configuration = site.configuration({ ...keys(site), cniVersion });
        const call = { pod, ...(by ? { by } : {}) };
        answers.push(comparable(await site.add(configuration, call), pod));
        await site.del(configuration, call);
      }
      expect({ cniVersion, result: answers[0] }).toEqual({ cniVersion, result: answers[1] });
    }
  });

  test('VERSION answers what the reference does', async () => {
    using site = new Site();
    const stdin = { cniVersion: '1.0.0', type: 'bridge' };
    const [our, their] = await Promise.all([
      site.call('VERSION', stdin),
      site.call('VERSION', stdin, { by: reference }),
    ]);
    expect(answered(our).supportedVersions).toEqual(answered(their).supportedVersions);
  });
});

/** Without what is random, what is the next free address, and the MTU that only ours tells. */
function comparable(result: Json, pod: Pod): Json {
  const text = JSON.stringify(result)
    .replaceAll(/"([0-9a-f]{2}:){5}[0-9a-f]{2}"/g, '"<mac>"')
    .replaceAll(/"veth[0-9a-f]+"/g, '"<veth>"')
    .replaceAll(/"10\.50\.0\.\d+\/16"/g, '"<v4>"')
    .replaceAll(/"fd00:50::[0-9a-f]+\/64"/g, '"<v6>"')
    .replaceAll(pod.netns, '<netns>')
    .replaceAll(/,"mtu":\d+|"mtu":\d+,/g, '');
  const plain = JSON.parse(text);
  // An empty one says nothing; the reference prints it in some versions.
  if (Object.keys(plain.dns ?? {}).length === 0) delete plain.dns;
  return plain;
}

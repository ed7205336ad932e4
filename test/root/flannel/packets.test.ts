import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { reference } from '../implementations.ts';
import { commandIn } from '../namespace-command.ts';
import { addressSeenBy, answersPing, Server } from '../packets.ts';
import { difference } from '../snapshot.ts';
import { dualStack, Fabric } from './fabric.ts';

describe.if(requires('root', 'ip', 'nft', 'ping'))('packets of a pod on flannel', () => {
  test('reach another pod in IPv4 and IPv6, by routes to all networks', async () => {
    using fabric = new Fabric(dualStack);
    const [one, two] = [fabric.pod('one'), fabric.pod('two')];
    const configuration = fabric.flannel();
    const before = await fabric.warmUp(configuration);
    await fabric.add(configuration, { pod: one });
    const result = await fabric.add(configuration, { pod: two });
    for (const { address, gateway } of result.ips) {
      expect(answersPing(one.netns, address.split('/')[0])).toBeTrue();
      expect(answersPing(one.netns, gateway)).toBeTrue();
    }
    expect(result.ips.map(({ gateway }: { gateway: string }) => gateway)).toEqual([
      '10.60.4.1',
      'fd00:60:0:4::1',
    ]);
    const routes = ['-4', '-6'].map((family) => fabric.inPod(one, 'ip', family, 'route')).join('');
    for (const network of ['10.60.0.0/16', '10.61.0.0/16'])
      expect(routes).toContain(`${network} via 10.60.4.1 dev eth0`);
    expect(routes).toContain('fd00:60::/48 via fd00:60:0:4::1 dev eth0');
    expect(fabric.inPod(one, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1400');
    for (const pod of [one, two]) await fabric.del(configuration, { pod });
    expect(difference(before, fabric.snapshot())).toEqual([]);
  });

  test('arrive outside as they are when flanneld masquerades, and as the node when it does not', async () => {
    using fabric = new Fabric(dualStack);
    fabric.addOutside();
    const [inner, outer] = [fabric.pod('inner'), fabric.pod('outer')];
    const configuration = fabric.flannel({ delegate: { isDefaultGateway: true } });
    const { ips } = await fabric.add(configuration, { pod: inner });
    fabric.writeSubnet(dualStack.map((line) => line.replace('MASQ=true', 'MASQ=false')));
    await fabric.add(configuration, { pod: outer });
    const [v4, v6] = ips.map(({ address }: { address: string }) => address.split('/')[0]);
    for (const [network, gateway] of [
      ['10.60.0.0/16', '192.0.2.1'],
      ['fd00:60::/48', 'fd00:99::1'],
    ] as const)
      commandIn(fabric.outside, 'ip', 'route', 'add', network, 'via', gateway);
    using _server = await Server.start(fabric.outside);
    const seen = (netns: string) => ['192.0.2.2', 'fd00:99::2'].map((host) => addressSeenBy(host, netns));
    expect(seen(inner.netns)).toEqual([v4, v6]);
    expect(seen(outer.netns)).toEqual(['192.0.2.1', 'fd00:99::1']);
  });
});

describe.if(requires('root', 'ip', 'nft', 'ping', 'reference-plugins'))('another delegate', () => {
  test('is executed, and gets its DEL with what it was given, also without a namespace', async () => {
    using fabric = new Fabric();
    const searched = [reference.folder];
    const configuration = fabric.flannel({
      cniVersion: '1.0.0',
      delegate: { type: 'ptp', ipMasq: false },
      ipam: { dataDir: fabric.leases },
    });
    const [pod, gone, warm] = [fabric.pod('pod'), fabric.pod('gone'), fabric.pod('warm')];
    await fabric.add(configuration, { pod: warm, searched });
    await fabric.del(configuration, { pod: warm, searched });
    const before = fabric.snapshot();
    const prevResult = await fabric.add(configuration, { pod, searched });
    expect(answersPing(pod.netns, '192.168.22.129')).toBeTrue();
    expect(fabric.states()).toEqual(['pod:eth0']);
    const check = () => fabric.call('CHECK', { ...configuration, prevResult }, { pod, searched });
    expect(await check()).toMatchObject({ status: 0 });
    fabric.inPod(pod, 'ip', 'addr', 'flush', 'dev', 'eth0');
    expect(await check()).toMatchObject({ status: 1 });
    await fabric.add(configuration, { pod: gone, searched });
    fabric.removeNamespace(gone);
    for (const one of [pod, gone]) await fabric.del({ ...configuration, prevResult }, { pod: one, searched });
    expect(difference(before, fabric.snapshot())).toEqual([]);
    expect(fabric.states()).toEqual([]);
  });
});

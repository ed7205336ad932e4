import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { addressSeenBy, answersPing, isSilent, Server } from '../packets.ts';
import { type Pod, Site } from '../site.ts';

/** Both families, with default routes by the gateway. */
const dual = { routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] };
const subnets = ['10.50.0.0/16', 'fd00:50::/64'];

describe.if(requires('root', 'ip', 'nft', 'ping'))('packets of a pod on the bridge', () => {
  let site: Site;
  let one: Pod;
  let two: Pod;
  beforeEach(() => {
    site = new Site();
    [one, two] = [site.pod('one'), site.pod('two')];
  });
  afterEach(() => site[Symbol.dispose]());

  /** ADD for both pods; the addresses of the second. */
  async function addBoth(keys: object): Promise<string[]> {
    const configuration = site.configuration({ ipam: site.ipam(subnets, dual), ...keys });
    await site.add(configuration, { pod: one });
    const { ips = [] } = await site.add(configuration, { pod: two });
    return ips.map(({ address }: { address: string }) => address.split('/')[0]);
  }

  test('reach the gateway, and another pod over the bridge, in IPv4 and IPv6', async () => {
    const addresses = await addBoth({ isGateway: true });
    expect(addresses).toEqual(['10.50.0.3', 'fd00:50::3']);
    for (const address of ['10.50.0.1', 'fd00:50::1', ...addresses]) {
      expect(answersPing(one.netns, address)).toBeTrue();
    }
    using _server = await Server.start(two.netns);
    expect(addresses.map((address) => addressSeenBy(address, one.netns))).toEqual([
      '10.50.0.2',
      'fd00:50::2',
    ]);
  });

  test('reach another pod without a gateway', async () => {
    const [v4 = '', v6 = ''] = await addBoth({});
    expect(answersPing(one.netns, v4)).toBeTrue();
    expect(answersPing(one.netns, v6)).toBeTrue();
    expect(site.onNode('ip', '-o', 'addr', 'show', 'cni0')).not.toContain('10.50.');
  });

  test('arrive at a host outside as the node with ipMasq, and as they are between pods', async () => {
    site.addOutside();
    const addresses = await addBoth({ isGateway: true, ipMasq: true });
    using _outside = await Server.start(site.outside);
    expect(addressSeenBy('192.0.2.2', one.netns)).toBe('192.0.2.1');
    expect(addressSeenBy('fd00:99::2', one.netns)).toBe('fd00:99::1');
    using _two = await Server.start(two.netns);
    expect(addresses.map((address) => addressSeenBy(address, one.netns))).toEqual([
      '10.50.0.2',
      'fd00:50::2',
    ]);
  });

  test('arrive at a host outside as they are without ipMasq, once it knows the way back', async () => {
    site.addOutside();
    await addBoth({ isGateway: true });
    expect(isSilent(one.netns, '192.0.2.2')).toBeTrue();
    for (const [subnet = '', gateway] of [
      [subnets[0], '192.0.2.1'],
      [subnets[1], 'fd00:99::1'],
    ]) {
      site.inPod({ name: 'outside', netns: site.outside }, 'ip', 'route', 'add', subnet, 'via', `${gateway}`);
    }
    using _outside = await Server.start(site.outside);
    expect(addressSeenBy('192.0.2.2', one.netns)).toBe('10.50.0.2');
    expect(addressSeenBy('fd00:99::2', one.netns)).toBe('fd00:50::2');
  });

  test('are not masqueraded any more after DEL', async () => {
    site.addOutside();
    const configuration = site.configuration({
      ipam: site.ipam(subnets, dual),
      isGateway: true,
      ipMasq: true,
    });
    const result = await site.add(configuration, { pod: one });
    await site.del({ ...configuration, prevResult: result }, { pod: one });
    // The same address, by another network that does not masquerade.
    const plain = { ...configuration, ipMasq: false, name: 'plain' };
    expect((await site.add(plain, { pod: one })).ips[0].address).toBe('10.50.0.2/16');
    expect(isSilent(one.netns, '192.0.2.2')).toBeTrue();
  });

  test('with portIsolation reach the gateway, and no other isolated pod', async () => {
    const [v4 = '', v6 = ''] = await addBoth({ isGateway: true, portIsolation: true });
    expect(answersPing(one.netns, '10.50.0.1')).toBeTrue();
    expect(answersPing(one.netns, 'fd00:50::1')).toBeTrue();
    expect(isSilent(one.netns, v4)).toBeTrue();
    expect(isSilent(one.netns, v6)).toBeTrue();
  });

  test('with macspoofchk are dropped when their source MAC is another', async () => {
    const [v4 = ''] = await addBoth({ isGateway: true, macspoofchk: true });
    expect(answersPing(one.netns, v4)).toBeTrue();
    const [{ address: mac }] = JSON.parse(site.inPod(one, 'ip', '-j', 'link', 'show', 'eth0'));
    site.inPod(one, 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:77');
    expect(isSilent(one.netns, '10.50.0.1')).toBeTrue();
    expect(isSilent(one.netns, v4)).toBeTrue();
    site.inPod(one, 'ip', 'link', 'set', 'eth0', 'address', mac);
    expect(answersPing(one.netns, v4)).toBeTrue();
  });

  test.each([
    [true, 'leave by the port they came from'],
    [false, 'do not leave by the port they came from'],
  ])('with hairpinMode %p %s', async (hairpinMode) => {
    await site.add(site.configuration({ isGateway: true, hairpinMode }), { pod: one });
    // Two addresses behind one port that leave it to the switch outside to bring them together (IEEE 802.1Qbg).
    const left = site.pod('left');
    const right = site.pod('right');
    for (const [pod, name, address] of [
      [left, 'mv0', '10.50.9.1/16'],
      [right, 'mv1', '10.50.9.2/16'],
    ] as const) {
      site.inPod(one, 'ip', 'link', 'add', name, 'link', 'eth0', 'type', 'macvlan', 'mode', 'vepa');
      site.inPod(one, 'ip', 'link', 'set', name, 'netns', pod.netns);
      site.inPod(pod, 'ip', 'addr', 'add', address, 'dev', name);
      site.inPod(pod, 'ip', 'link', 'set', name, 'up');
    }
    expect(answersPing(left.netns, '10.50.0.1')).toBeTrue();
    if (hairpinMode) expect(answersPing(left.netns, '10.50.9.2')).toBeTrue();
    else expect(isSilent(left.netns, '10.50.9.2')).toBeTrue();
  });

  test.each([true, false])(
    'with promiscMode %p, between pods, are seen by the bridge itself as said',
    async (promiscMode) => {
      const [v4 = ''] = await addBoth({ isGateway: true, promiscMode });
      expect(answersPing(one.netns, v4)).toBeTrue();
      // Longer than anything that is sent by itself.
      const received = () => {
        const [{ stats64 }] = JSON.parse(site.onNode('ip', '-j', '-s', 'link', 'show', 'cni0'));
        return stats64.rx.bytes as number;
      };
      const before = received();
      site.inPod(one, 'ping', '-n', '-c1', '-s', '1400', v4);
      expect(received() - before > 1400).toBe(promiscMode);
    },
  );
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import type { Pod } from '../site.ts';
import { difference } from '../snapshot.ts';
import { Wire } from './wire.ts';

let wire: Wire;
let pod: Pod;
beforeEach(() => {
  wire = new Wire();
  pod = wire.pod('pod');
});
afterEach(() => wire[Symbol.dispose]());

const words = (line: string) => line.split(' ');

describe.if(requires('root', 'ip', 'nft'))('CHECK of a macvlan', () => {
  test.each(['0.4.0', '1.0.0', '1.1.0'])('%s: what ADD made is sound', async (cniVersion) => {
    const ipam = wire.onWire([4, 6], { routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] });
    const configuration = wire.configuration({ cniVersion, mode: 'private', mtu: 1400, ipam });
    const prevResult = await wire.add(configuration, { pod });
    const answer = await wire.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  test('one without addresses is sound, and one whose default route has moved since', async () => {
    wire.onNode(...words('ip route add default dev up0'));
    const configuration = wire.configuration({ ipam: {}, master: undefined });
    const prevResult = await wire.add(configuration, { pod });
    wire.onNode(...words('ip route del default'));
    const answer = await wire.call('CHECK', { ...configuration, prevResult }, { pod });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  // Each on a macvlan: the kernel puts them on up0.
  test.each<[string, object]>([
    ['on a macvlan of the node', { master: 'mv0' }],
    ['on that of the default route', { master: undefined }],
    ['on the interface that the container has already', { master: 'eth0', linkInContainer: true }],
    ['on that of the container’s default route', { master: undefined, linkInContainer: true }],
  ])('one %s is sound', async (_, keys) => {
    wire.onNode(...words('ip link add mv0 link up0 type macvlan mode bridge'));
    wire.onNode(...words('ip link set mv0 up'));
    wire.onNode(...words('ip route add default dev mv0'));
    await wire.add(wire.configuration({ ipam: wire.onWire([4], { routes: [{ dst: '0.0.0.0/0' }] }) }), {
      pod,
    });
    const configuration = wire.configuration({ name: 'other', ipam: {}, ...keys });
    const prevResult = await wire.add(configuration, { pod, ifName: 'eth1' });
    const answer = await wire.call('CHECK', { ...configuration, prevResult }, { pod, ifName: 'eth1' });
    expect(answer).toMatchObject({ status: 0, stdout: '' });
  });

  test('every difference is in one error', async () => {
    const ipam = wire.onWire([4], { routes: [{ dst: '10.60.0.0/16' }] });
    const configuration = wire.configuration({ cniVersion: '1.1.0', ipam });
    const prevResult = await wire.add(configuration, { pod });
    for (const line of [
      'addr flush dev eth0',
      'link set eth0 address 02:00:00:00:00:01 mtu 1300',
      'link set eth0 type macvlan mode private',
    ]) {
      wire.inPod(pod, ...words(`ip ${line}`));
    }
    rmSync(join(wire.leases, 'net', '192.0.2.100'));
    wire.onNode(...words('ip link set up0 down'));
    const { code, msg } = await wire.fail('CHECK', { ...configuration, prevResult }, { pod });
    expect(code).toBe(100);
    for (const told of [
      'host-local: Failed to find address added by container pod',
      '192.0.2.100/24',
      '10.60.0.0/16',
      '"eth0" has 02:00:00:00:00:01',
      '"eth0" is in mode private, not bridge',
      '"eth0" has MTU 1300, not 1500',
      'master "up0" is down',
    ]) {
      expect(msg).toContain(told);
    }
  });

  const broken: [string, (wire: Wire, pod: Pod) => unknown, string][] = [
    ['is gone', (on, one) => on.inPod(one, ...words('ip link del eth0')), 'no interface "eth0"'],
    ['is down', (on, one) => on.inPod(one, ...words('ip link set eth0 down')), '"eth0" is down'],
    [
      'is another kind of link',
      (on, one) => {
        on.inPod(one, ...words('ip link del eth0'));
        on.inPod(one, ...words('ip link add eth0 type veth peer name eth1'));
      },
      '"eth0" is not a macvlan',
    ],
    [
      'is on another link',
      (on, one) => {
        on.onNode(...words('ip link add up1 type veth peer name up2'));
        on.onNode(...words('ip link set up1 up'));
        on.inPod(one, ...words('ip link del eth0'));
        on.onNode(...words('ip link add mv0 link up1 type macvlan mode bridge'));
        on.onNode('ip', 'link', 'set', 'mv0', 'netns', one.netns);
        on.inPod(one, ...words('ip link set mv0 name eth0'));
      },
      '"eth0" is not on "up0"',
    ],
    [
      'has lost its master',
      (on) => on.onNode(...words('ip link del up0')),
      'there is no master "up0" on the node',
    ],
  ];
  test.each(broken)('one that %s is an error', async (_, breakIt, told) => {
    const configuration = wire.configuration();
    const prevResult = await wire.add(configuration, { pod });
    breakIt(wire, pod);
    const { code, msg } = await wire.fail('CHECK', { ...configuration, prevResult }, { pod });
    expect(code).toBe(100);
    expect(msg).toContain(told);
  });

  test('without prevResult, and with one of another interface', async () => {
    const configuration = wire.configuration();
    const prevResult = await wire.add(configuration, { pod });
    expect(await wire.fail('CHECK', configuration, { pod })).toMatchObject({
      code: 7,
      msg: 'Required prevResult missing',
    });
    await wire.add(configuration, { pod, ifName: 'eth1' });
    const { msg } = await wire.fail('CHECK', { ...configuration, prevResult }, { pod, ifName: 'eth1' });
    expect(msg).toContain('prevResult has no interface "eth1" of the container');
  });
});

describe.if(requires('root', 'ip', 'nft'))('STATUS and GC of a macvlan', () => {
  test('STATUS is 50 when the master is missing or down, or no address is free', async () => {
    const ranges = [[{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.9', rangeEnd: '192.0.2.9' }]];
    const configuration = wire.configuration({ cniVersion: '1.1.0', ipam: { ...wire.onWire(), ranges } });
    expect(await wire.call('STATUS', configuration)).toMatchObject({ status: 0, stdout: '' });
    expect(await wire.fail('STATUS', { ...configuration, master: 'nic9' })).toMatchObject({
      code: 50,
      msg: 'failed to lookup master "nic9": there is no such link on the node',
    });
    expect(await wire.fail('STATUS', { ...configuration, master: undefined })).toMatchObject({ code: 50 });
    const inContainer = { ...configuration, master: 'nic9', linkInContainer: true };
    expect(await wire.call('STATUS', inContainer)).toMatchObject({ status: 0 });
    await wire.add(configuration, { pod });
    expect(await wire.fail('STATUS', configuration)).toMatchObject({ code: 50 });
    await wire.del(configuration, { pod });
    wire.onNode(...words('ip link set up0 down'));
    expect(await wire.fail('STATUS', configuration)).toMatchObject({ code: 50, msg: 'master "up0" is down' });
  });

  test('GC frees what is not listed, and nothing without a list', async () => {
    const configuration = wire.configuration({ cniVersion: '1.1.0' });
    const other = wire.pod('other');
    await wire.add(configuration, { pod: other });
    const kept = wire.snapshot();
    await wire.add(configuration, { pod });
    const all = wire.snapshot();
    wire.removeNamespace(pod);
    expect(await wire.call('GC', configuration)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(all, wire.snapshot())).toEqual([]);
    const valid = [{ containerID: 'other', ifname: 'eth0' }];
    const listed = { ...configuration, 'cni.dev/valid-attachments': valid };
    expect(await wire.call('GC', listed)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(kept, wire.snapshot())).toEqual([]);
  });
});

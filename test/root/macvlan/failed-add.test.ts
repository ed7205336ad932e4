import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { reference } from '../implementations.ts';
import type { Call, Pod } from '../site.ts';
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
const fake = (text: string) => async () => {
  await Bun.write(`${wire.scratch.folder}/fake`, `#!/bin/sh\n${text}\n`);
  await Bun.$`chmod 755 ${wire.scratch.folder}/fake`.quiet();
};

interface Failing {
  readonly keys?: () => object;
  readonly before?: () => unknown;
  readonly call?: Call;
  readonly code: number;
  readonly told: string;
  /** What the details say of it. */
  readonly advice?: string;
}

const cases: [string, Failing][] = [
  [
    'no address is free',
    {
      keys: () => ({
        ipam: {
          ...wire.onWire(),
          ranges: [[{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.9', rangeEnd: '192.0.2.9' }]],
        },
      }),
      before: async () => {
        const ranges = [[{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.9', rangeEnd: '192.0.2.9' }]];
        await wire.add(wire.configuration({ ipam: { ...wire.onWire(), ranges } }), { pod: wire.pod('full') });
      },
      code: 999,
      told: 'failed to allocate for range 0: no IP addresses available in range set: 192.0.2.9-192.0.2.9',
    },
  ],
  [
    'an address that was asked for is outside the pool',
    {
      call: { args: 'IP=172.17.20.20' },
      code: 7,
      told: 'failed to allocate all requested IPs: 172.17.20.20',
    },
  ],
  [
    'the IPAM plugin is not there',
    { keys: () => ({ ipam: { type: 'nowhere' } }), code: 101, told: '"nowhere"' },
  ],
  [
    'the IPAM plugin fails',
    {
      keys: () => ({ ipam: { type: 'fake' } }),
      before: fake(
        '[ $CNI_COMMAND = ADD ] && echo \'{"code": 77, "msg": "no lease today"}\' && exit 1; exit 0',
      ),
      code: 77,
      told: 'no lease today',
    },
  ],
  [
    'the IPAM plugin gives no address',
    {
      keys: () => ({ ipam: { type: 'fake' } }),
      before: fake('[ $CNI_COMMAND = ADD ] && echo \'{"cniVersion": "1.0.0"}\'; exit 0'),
      code: 999,
      told: 'IPAM plugin returned missing IP config',
    },
  ],
  [
    'a route that the kernel refuses',
    {
      keys: () => ({ ipam: wire.onWire([4], { routes: [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }] }) }),
      code: 999,
      told: '10.9.0.0/16',
    },
  ],
  [
    'the master is not there',
    {
      keys: () => ({ master: 'nic9' }),
      code: 999,
      told: 'failed to lookup master "nic9": there is no such link on the node',
    },
  ],
  [
    'there is no default route',
    { keys: () => ({ master: undefined }), code: 999, told: 'no default route interface found' },
  ],
  [
    'the master is down',
    { before: () => wire.onNode(...words('ip link set up0 down')), code: 999, told: 'master "up0" is down' },
  ],
  [
    'the master is a port of a bridge',
    {
      before: () => {
        wire.onNode(...words('ip link add br0 type bridge'));
        wire.onNode(...words('ip link set up0 master br0'));
      },
      code: 999,
      told: 'failed to create macvlan',
    },
  ],
  [
    'an MTU above the master’s',
    { keys: () => ({ mtu: 1501 }), code: 7, told: 'invalid MTU 1501, must be [0, master MTU(1500)]' },
  ],
  ['a negative MTU', { keys: () => ({ mtu: -1 }), code: 7, told: 'mtu: -1 is out of range' }],
  ['an MTU beyond all numbers', { keys: () => ({ mtu: 1e30 }), code: 7, told: 'mtu: 1e+30 is out of range' }],
  [
    'an unknown mode',
    { keys: () => ({ mode: 'tap' }), code: 7, told: 'mode: "tap" is an unknown macvlan mode' },
  ],
  [
    'a MAC that is none',
    { keys: () => ({ mac: 'c2:11' }), code: 7, told: 'mac: "c2:11" is not a MAC address' },
  ],
  [
    'a MAC of CNI_ARGS that is none',
    { call: { args: 'MAC=c2:11' }, code: 4, told: 'MAC "c2:11" is not a MAC address' },
  ],
  [
    'a MAC of a group',
    {
      keys: () => ({ mac: '01:00:5e:00:00:01' }),
      code: 999,
      told: 'failed to create macvlan',
      advice: 'the MAC is one of a group',
    },
  ],
  [
    'a MAC that another macvlan has',
    {
      keys: () => ({ mac: 'c2:11:22:33:44:55' }),
      before: () => wire.add(wire.configuration({ mac: 'c2:11:22:33:44:55' }), { pod: wire.pod('first') }),
      code: 999,
      told: 'the MAC of the macvlan is in use already',
      advice: 'another macvlan of the same master',
    },
  ],
  ['an MTU that no link has', { keys: () => ({ mtu: 67 }), code: 999, told: 'mtu less than', advice: '' }],
  [
    'an MTU that IPv6 cannot do with',
    {
      keys: () => ({ mtu: 1279, ipam: wire.onWire([6]) }),
      code: 999,
      told: '"eth0" has MTU 1279, and IPv6 needs 1280',
    },
  ],
  [
    'dns that no result may have',
    { keys: () => ({ dns: { search: 'd' } }), code: 7, told: 'dns.search: "d" is not an array' },
  ],
  [
    'a queue length that is none',
    { keys: () => ({ bcqueuelen: 2 ** 32 }), code: 7, told: 'bcqueuelen: 4294967296 is out of range' },
  ],
  [
    'a name of the master that is none',
    { keys: () => ({ master: 'a/b' }), code: 7, told: 'master: "a/b" must have no "/"' },
  ],
  [
    '0.2.0 without addresses',
    { keys: () => ({ cniVersion: '0.2.0', ipam: {} }), code: 7, told: 'cniVersion: a result of 0.2.0' },
  ],
  [
    'a namespace that is gone',
    { call: { netns: '/run/netns/cni-debug-test-none' }, code: 8, told: 'failed to open netns' },
  ],
];

describe.if(requires('root', 'ip', 'nft'))('an ADD that fails says why, and leaves nothing', () => {
  test.each(cases)('%s', async (_, { keys = () => ({}), before, call = {}, code, told, advice }) => {
    // The files of the pool stay.
    await wire.warmUp(wire.configuration());
    await before?.();
    const [node, inside] = [wire.snapshot(), wire.links(pod.netns)];
    const configuration = wire.configuration(keys());
    const error = await wire.fail('ADD', configuration, { pod, searched: [wire.scratch.folder], ...call });
    expect(error.code).toBe(code);
    expect(error.msg).toContain(told);
    if (advice === '') expect(error).not.toHaveProperty('details');
    else if (advice) expect(error.details).toContain(advice);
    expect(difference(node, wire.snapshot())).toEqual([]);
    expect(wire.links(pod.netns)).toEqual(inside);
  });

  test('the container has an interface of that name: it stays as it is', async () => {
    await wire.warmUp(wire.configuration());
    wire.inPod(pod, ...words('ip link add eth0 type veth peer name eth1'));
    const before = wire.snapshot();
    const { msg, details } = await wire.fail('ADD', wire.configuration(), { pod });
    expect(msg).toBe(
      'failed to rename macvlan to "eth0": the container has an interface of that name already',
    );
    expect(details).toBe('ask for another CNI_IFNAME');
    expect(wire.links(pod.netns)).toEqual(['lo', 'eth1', 'eth0']);
    expect(difference(before, wire.snapshot())).toEqual([]);
  });

  test('a second ADD of an attachment leaves the first one its interface and its lease', async () => {
    await wire.add(wire.configuration(), { pod });
    const [node, inside] = [wire.snapshot(), wire.inPod(pod, 'ip', 'addr')];
    const { details } = await wire.fail('ADD', wire.configuration(), { pod, args: 'IP=192.0.2.110' });
    expect(details).toBe('this attachment exists: a DEL comes before another ADD');
    expect(difference(node, wire.snapshot())).toEqual([]);
    expect(wire.inPod(pod, 'ip', 'addr')).toBe(inside);
  });

  test('SIGTERM while IPAM is at work ends it', async () => {
    await fake('[ $CNI_COMMAND = ADD ] && exec sleep 60; exit 0')();
    const configuration = wire.configuration({ ipam: { type: 'fake' } });
    const before = wire.snapshot();
    const answer = wire.call('ADD', configuration, {
      ...{ pod, searched: [wire.scratch.folder] },
      started: async (child) => {
        const deadline = Date.now() + 20_000;
        while (wire.links(pod.netns).length < 2 && Date.now() < deadline) await Bun.sleep(20);
        child.kill('SIGTERM');
      },
    });
    const { status, stdout } = await answer;
    expect(status).toBe(1);
    expect(stdout).toContain('SIGTERM');
    expect(wire.links(pod.netns)).toEqual(['lo']);
    expect(difference(before, wire.snapshot())).toEqual([]);
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('where the reference leaves the link', () => {
  test('when the allocation fails: ours removes it', async () => {
    const configuration = wire.configuration();
    const call = { pod, args: 'IgnoreUnknown=1;IP=172.17.20.20' };
    await wire.fail('ADD', configuration, { ...call, by: reference });
    const left = wire.links(pod.netns);
    await wire.fail('ADD', configuration, { ...call, ifName: 'eth1' });
    expect(wire.links(pod.netns)).toEqual(left);
  });
});

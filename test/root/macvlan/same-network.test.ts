import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Case, make } from '../bridge/same-network.ts';
import { ours, reference } from '../implementations.ts';

const range = { subnet: '10.50.0.0/16' };
const v4 = { type: 'host-local', ranges: [[range]] };
const v6 = { type: 'host-local', ranges: [[{ subnet: 'fd00:50::/64' }]] };
const dual = { type: 'host-local', ranges: [[range], [{ subnet: 'fd00:50::/64' }]] };
const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

/** A link of the node with a carrier, of 1400 bytes. */
const master = (name = 'up0') => {
  const [one, other] = name === 'up0' ? [1, 2] : [3, 4];
  const mac = (number = 0) => `address 02:00:00:00:00:0${number}`;
  return [
    `link add ${name} ${mac(one)} mtu 1400 type veth peer name ${name}p ${mac(other)}`,
    `link set ${name} up`,
    `link set ${name}p up`,
  ];
};
const route = (dev: string, ...words: string[]) => ['route add default dev', dev, ...words].join(' ');

const cases: [string, Case][] = [
  ['no IPAM', { keys: { ipam: undefined } }],
  ['an empty IPAM', { keys: { ipam: {} } }],
  ['IPv4', { keys: { ipam: v4 } }],
  ['IPv6', { keys: { ipam: v6 } }],
  ['both families, with routes', { keys: { ipam: { ...dual, routes } } }],
  [
    'a route by another gateway, and one without',
    {
      keys: { ipam: { ...v4, routes: [{ dst: '10.60.0.0/16', gw: '10.50.0.7' }, { dst: '10.61.0.0/16' }] } },
    },
  ],
  ['mode private', { keys: { ipam: v4, mode: 'private' } }],
  ['mode vepa', { keys: { ipam: v4, mode: 'vepa' } }],
  [
    'mode passthru, whose MAC is the master’s',
    { keys: { ipam: v4, mode: 'passthru', mac: 'c2:11:22:33:44:55' } },
  ],
  ['mode bridge, and a mode that is empty', { keys: { ipam: v4, mode: '' } }],
  ['mtu', { keys: { ipam: v4, mtu: 1300 } }],
  ['mtu 0', { keys: { ipam: v4, mtu: 0 } }],
  ['bcqueuelen', { keys: { ipam: v4, bcqueuelen: 50 } }],
  ['mac', { keys: { ipam: v4, mac: 'c2:11:22:33:44:55' } }],
  [
    'MAC of CNI_ARGS before mac',
    {
      keys: { ipam: v4, mac: 'c2:11:22:33:44:55' },
      call: { args: 'IgnoreUnknown=1;MAC=c2:11:22:33:44:56' },
    },
  ],
  [
    'runtimeConfig.mac before both',
    {
      keys: { ipam: v4, mac: 'c2:11:22:33:44:55', runtimeConfig: { mac: 'c2:11:22:33:44:57' } },
      call: { args: 'IgnoreUnknown=1;MAC=c2:11:22:33:44:56' },
    },
  ],
  ['an address that was asked for', { keys: { ipam: v4 }, call: { args: 'IgnoreUnknown=1;IP=10.50.7.7' } }],
  [
    'dns',
    { keys: { ipam: v4, dns: { nameservers: ['10.50.0.1'], domain: 'd', search: ['s'], options: ['o'] } } },
  ],
  ['another interface', { keys: { ipam: v4 }, call: { ifName: 'net1' } }],
  ['an interface whose name the node has, too', { keys: { ipam: v4 }, call: { ifName: 'up0' } }],
  [
    'the master of the default route',
    { keys: { ipam: v4, master: undefined }, before: [...master('up1'), ...master(), route('up0')] },
  ],
  [
    'the one with the lowest metric',
    {
      keys: { ipam: v4, master: '' },
      before: [...master('up1'), ...master(), route('up1', 'metric 20'), route('up0', 'metric 10')],
    },
  ],
  [
    'a default route of IPv6 alone',
    { keys: { ipam: v4, master: undefined }, before: [...master(), `-6 ${route('up0')}`] },
  ],
];

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))(
  'macvlan of ours leaves the network as the reference does',
  () => {
    test.each(cases)('%s', async (_, { keys, before = master(), call }) => {
      const own = { bridge: undefined, type: 'macvlan', master: 'up0', ...keys };
      const one = { keys: own, before, ...(call ? { call } : {}) };
      const [their, our] = await Promise.all([make(reference, one), make(ours, one)]);
      expect(their.answer).not.toHaveProperty('code');
      expect(our).toEqual(their);
      expect(
        our.left.filter((line) => !/^\+ lease net last_reserved_ip|^\+ lock net free/.test(line)),
      ).toEqual([]);
    });
  },
);

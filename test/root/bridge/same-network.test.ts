import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { ours, reference } from '../implementations.ts';
import { type Case, make } from './same-network.ts';

/** host-local; the data directory is each site's. */
const ipam = (subnets: string[], keys: object = {}) => ({
  type: 'host-local',
  ranges: subnets.map((subnet) => [{ subnet }]),
  ...keys,
});
const v4 = ipam(['10.50.0.0/16']);
const v6 = ipam(['fd00:50::/64']);
const dual = ipam(['10.50.0.0/16', 'fd00:50::/64']);
const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

const cases: [string, Case][] = [
  ['no IPAM', { keys: { ipam: undefined } }],
  ['an empty IPAM', { keys: { ipam: {} } }],
  ['no gateway', { keys: { ipam: v4 } }],
  ['isGateway', { keys: { ipam: v4, isGateway: true } }],
  ['isGateway with routes', { keys: { ipam: { ...v4, routes: [routes[0]] }, isGateway: true } }],
  ['isGateway, IPv6', { keys: { ipam: v6, isGateway: true } }],
  ['isGateway, both families with routes', { keys: { ipam: { ...dual, routes }, isGateway: true } }],
  ['isDefaultGateway', { keys: { ipam: v4, isDefaultGateway: true } }],
  ['isDefaultGateway, both families', { keys: { ipam: dual, isDefaultGateway: true } }],
  [
    'isDefaultGateway beside a default route with a gateway',
    { keys: { ipam: { ...v4, routes: [{ dst: '0.0.0.0/0', gw: '10.50.0.9' }] }, isDefaultGateway: true } },
  ],
  [
    'a gateway that is not the first address',
    {
      keys: {
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.50.0.0/24', gateway: '10.50.0.254' }]] },
        isGateway: true,
      },
    },
  ],
  [
    'a route by another gateway, and one without',
    {
      keys: {
        ipam: { ...v4, routes: [{ dst: '10.60.0.0/16', gw: '10.50.0.7' }, { dst: '10.61.0.0/16' }] },
        isGateway: true,
      },
    },
  ],
  ['ipMasq', { keys: { ipam: v4, isGateway: true, ipMasq: true } }],
  ['ipMasq, both families', { keys: { ipam: dual, isGateway: true, ipMasq: true } }],
  ['ipMasq without a gateway', { keys: { ipam: v4, ipMasq: true } }],
  ['mtu', { keys: { ipam: v4, isGateway: true, mtu: 1400 } }],
  ['hairpinMode', { keys: { ipam: v4, hairpinMode: true } }],
  ['promiscMode', { keys: { ipam: v4, promiscMode: true } }],
  ['portIsolation', { keys: { ipam: v4, portIsolation: true } }],
  ['macspoofchk', { keys: { ipam: v4, macspoofchk: true } }],
  ['enabledad', { keys: { ipam: v6, isGateway: true, enabledad: true } }],
  ['disableContainerInterface', { keys: { ipam: undefined, disableContainerInterface: true } }],
  ['another bridge and interface', { keys: { ipam: v4, bridge: 'mybridge' }, call: { ifName: 'net1' } }],
  [
    'dns',
    { keys: { ipam: v4, dns: { nameservers: ['10.50.0.1'], domain: 'd', search: ['s'], options: ['o'] } } },
  ],
  ['the default bridge', { keys: { ipam: v4, bridge: undefined } }],
  [
    'forceAddress on a bridge with another address',
    {
      keys: { ipam: v4, isGateway: true, forceAddress: true },
      before: ['link add cni0 type bridge', 'addr add 10.70.0.1/16 dev cni0', 'link set cni0 up'],
    },
  ],
  [
    'a bridge that has the address, and another MTU',
    {
      keys: { ipam: v4, isGateway: true, mtu: 1400 },
      before: ['link add cni0 mtu 1300 type bridge', 'addr add 10.50.0.1/16 dev cni0'],
    },
  ],
  [
    'a bridge with an IPv6 address of another subnet',
    {
      keys: { ipam: v6, isGateway: true },
      before: ['link add cni0 type bridge', 'addr add fd00:70::1/64 dev cni0 nodad', 'link set cni0 up'],
    },
  ],
  ['a MAC from runtimeConfig', { keys: { ipam: v4, runtimeConfig: { mac: 'c2:11:22:33:44:55' } } }],
];

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))(
  'ours leaves the network as the reference does',
  () => {
    test.each(cases)('%s', async (_, one) => {
      const [their, our] = await Promise.all([make(reference, one), make(ours, one)]);
      expect(their.answer).not.toHaveProperty('code');
      expect(our).toEqual(their);
    });
  },
);

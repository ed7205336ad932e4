import { describe, expect, test } from 'bun:test';
import { decodeRoute, listRoutes, type Route } from '../../../src/kernel/netlink/route.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const captured = capturedPayloads('routes', 24);
const routes = captured.map(decodeRoute);
const main = { table: 254, protocol: 3, scope: 0, type: 1 };

test.each<Route>([
  {
    ...main,
    family: 4,
    dst: '0.0.0.0/0',
    gateway: '10.22.0.1',
    oif: 3,
    priority: 7,
    mtu: 1400,
    advmss: 1360,
  },
  { ...main, family: 4, dst: '10.22.0.0/16', oif: 3, protocol: 2, scope: 253, src: '10.22.0.5' },
  { ...main, family: 4, dst: '10.30.0.0/16', oif: 3, table: 1000, protocol: 99, scope: 253 },
  {
    ...main,
    family: 4,
    dst: '10.40.0.0/16',
    nextHops: [
      { gateway: '10.22.0.1', oif: 3, weight: 3 },
      { gateway: '10.22.0.2', oif: 3, weight: 1 },
    ],
  },
  { ...main, family: 4, dst: '10.50.0.0/16', gateway: 'fd00:22::1', oif: 3 },
  { ...main, family: 4, dst: '10.60.0.0/16', type: 7 },
  {
    family: 4,
    dst: '10.22.255.255/32',
    oif: 3,
    table: 255,
    protocol: 2,
    scope: 253,
    type: 3,
    src: '10.22.0.5',
  },
  { ...main, family: 6, dst: '::/0', gateway: 'fd00:22::1', oif: 3, priority: 1024 },
  {
    ...main,
    family: 6,
    dst: 'fd00:40::/64',
    priority: 1024,
    nextHops: [
      { gateway: 'fd00:22::1', oif: 3, weight: 1 },
      { gateway: 'fd00:22::2', oif: 3, weight: 1 },
    ],
  },
  { family: 6, dst: 'fd00:22::5/128', oif: 3, table: 255, protocol: 2, scope: 0, type: 2, priority: 0 },
])('captured: $dst', (route) => {
  expect(routes).toContainEqual(route);
});

test('nothing else was captured', () => {
  expect(routes.length).toBe(19);
});

test('other families and cached routes are left out', () => {
  const mpls = Buffer.from(captured[0]!);
  mpls[0] = 28;
  expect(decodeRoute(mpls)).toBeUndefined();
  const cached = Buffer.from(captured[0]!);
  cached.writeUInt32LE(0x200, 8);
  expect(decodeRoute(cached)).toBeUndefined();
});

test('mutated routes', () => {
  expectNoCrash(captured, decodeRoute);
});

describe.if(requires('root', 'ip'))('a namespace', () => {
  test('listRoutes agrees with `ip route show table all`', () => {
    const scratch = scratchNamespace(
      'link set lo up',
      'link add veth0 type veth peer name veth1',
      'link set veth0 up',
      'link set veth1 up',
      'address add 10.22.0.5/16 dev veth0',
      'address add fd00:22::5/64 dev veth0 nodad',
      'route add default via 10.22.0.1',
      'route add default via fd00:22::1 metric 5 mtu 1400',
      'route add 10.30.0.0/16 via 10.22.0.2 table 70000 advmss 1000',
      'route add blackhole fd00:60::/64',
    );
    try {
      interface IpRoute {
        dst: string;
        gateway?: string;
        dev?: string;
        metric?: number;
      }
      const text = (dst: string, any: string, length: number): string =>
        dst === 'default' ? `${any}/0` : dst.includes('/') ? dst : `${dst}/${length}`;
      const listed = (flag: string, any: string, length: number): unknown[] =>
        scratch
          .show<IpRoute[]>(flag, 'route', 'show', 'table', 'all')
          .map((route) => [text(route.dst, any, length), route.gateway, route.metric]);
      const expected = [...listed('-4', '0.0.0.0', 32), ...listed('-6', '::', 128)];
      const namespace = openNamespace(scratch.path);
      const socket = openRouteSocket(namespace);
      namespace.close();
      const found = listRoutes(socket);
      socket.close();
      expect(found.map(({ dst, gateway, priority }) => [dst, gateway, priority]).sort()).toEqual(
        expected.sort() as never,
      );
      expect(found.find(({ table }) => table === 70000)).toMatchObject({ dst: '10.30.0.0/16', advmss: 1000 });
      expect(found.find(({ dst }) => dst === '::/0')).toMatchObject({ priority: 5, mtu: 1400 });
    } finally {
      scratch.remove();
    }
  });
});

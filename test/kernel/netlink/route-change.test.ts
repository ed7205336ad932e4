import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { addAddress } from '../../../src/kernel/netlink/address-change.ts';
import { changeLink } from '../../../src/kernel/netlink/link-change.ts';
import { createVeth } from '../../../src/kernel/netlink/link-create.ts';
import type { LinkId } from '../../../src/kernel/netlink/link-message.ts';
import { listRoutes, type Route } from '../../../src/kernel/netlink/route.ts';
import { addRoute, deleteRoute, replaceRoute } from '../../../src/kernel/netlink/route-change.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { requires } from '../../requirements.ts';
import { ip, type Place, place, prefix, refusal, refusalToNobody } from './place.ts';
import { comparable, sentByIp, sentByUs } from './sent.ts';

const link = { index: 4, name: 'veth0' };
const gone = { index: 4000, name: 'gone' };
const any = prefix('0.0.0.0/0');

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'ip route add default via 10.22.0.1 dev veth0 metric 7 mtu 1400 advmss 1360',
    (socket) =>
      addRoute(socket, { dst: any, gateway: ip('10.22.0.1'), link, priority: 7, mtu: 1400, advmss: 1360 }),
  ],
  [
    'ip route add 10.30.0.0/16 dev veth0 table 1000 proto 99',
    (socket) => addRoute(socket, { dst: prefix('10.30.0.0/16'), link, table: 1000, protocol: 99 }),
  ],
  [
    'ip route append 10.31.0.0/16 via 10.22.0.1 src 10.22.0.5 table 100 onlink dev veth0',
    (socket) =>
      addRoute(
        socket,
        {
          dst: prefix('10.31.0.0/16'),
          gateway: ip('10.22.0.1'),
          source: ip('10.22.0.5'),
          table: 100,
          onlink: true,
          link,
        },
        'append',
      ),
  ],
  [
    'ip route prepend 10.31.0.0/16 via inet6 fd00:22::1 dev veth0',
    (socket) => addRoute(socket, { dst: prefix('10.31.0.0/16'), gateway: ip('fd00:22::1'), link }, 'before'),
  ],
  [
    'ip route replace fd00:40::/64 via fd00:22::1 dev veth0',
    (socket) => replaceRoute(socket, { dst: prefix('fd00:40::/64'), gateway: ip('fd00:22::1'), link }),
  ],
  [
    'ip route add unreachable 10.60.0.0/16',
    (socket) => addRoute(socket, { dst: prefix('10.60.0.0/16'), type: 7 }),
  ],
  [
    'ip route delete 10.30.0.0/16 dev veth0 table 1000',
    (socket) => deleteRoute(socket, { dst: prefix('10.30.0.0/16'), link, table: 1000 }),
  ],
])('sent as by `%s`', (command, run) => {
  const rtmsg = { struct: 12, 8: {} };
  expect(comparable(sentByUs(run), rtmsg)).toEqual(comparable(sentByIp(command), rtmsg));
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let pod: Place;
  let eth0: LinkId;

  beforeAll(() => {
    pod = place('link set lo up');
    const other = createVeth(pod.socket, { name: 'other', up: true }, { name: 'eth0' });
    eth0 = { index: other.link!, name: 'eth0' };
    changeLink(pod.socket, eth0, { up: true });
    addAddress(pod.socket, eth0, prefix('10.22.0.5/16'));
    addAddress(pod.socket, eth0, { ...prefix('fd00:22::5/64'), noDad: true });
  });
  afterAll(() => pod.close());
  beforeEach(() => {
    for (const family of ['-4', '-6']) {
      pod.scratch.show(family, 'route', 'flush', 'table', 'all', 'proto', 'boot');
    }
  });

  /** Those of ours: RTPROT_BOOT. */
  const routes = (): Route[] => listRoutes(pod.socket).filter(({ protocol }) => protocol === 3);
  const gateways = (): unknown[] => routes().map(({ gateway, nextHops }) => gateway ?? nextHops);
  const via = (address: string, more: object = {}) => ({
    dst: address.includes(':') ? prefix('::/0') : any,
    gateway: ip(address),
    link: eth0,
    ...more,
  });

  test('added with all that it may have, and deleted', () => {
    addRoute(pod.socket, via('10.22.0.1', { priority: 5, mtu: 1400, advmss: 1360 }));
    addRoute(pod.socket, via('fd00:22::1', { mtu: 1300 }));
    addRoute(pod.socket, { dst: prefix('10.30.0.0/16'), link: eth0, table: 1000 });
    const common = { table: 254, protocol: 3, scope: 0, type: 1, oif: eth0.index };
    const found = routes();
    expect(found.length).toBe(3);
    for (const route of [
      { ...common, family: 4, dst: '10.30.0.0/16', table: 1000, scope: 253 },
      {
        ...common,
        family: 4,
        dst: '0.0.0.0/0',
        gateway: '10.22.0.1',
        priority: 5,
        mtu: 1400,
        advmss: 1360,
      },
      { ...common, family: 6, dst: '::/0', gateway: 'fd00:22::1', priority: 1024, mtu: 1300 },
    ] satisfies Route[]) {
      expect(found).toContainEqual(route);
    }
    deleteRoute(pod.socket, { dst: any });
    deleteRoute(pod.socket, via('fd00:22::1'));
    deleteRoute(pod.socket, { dst: prefix('10.30.0.0/16'), table: 1000 });
    expect(routes()).toEqual([]);
  });

  test('the kernel finds the link by the gateway', () => {
    addRoute(pod.socket, { dst: any, gateway: ip('10.22.0.1') });
    expect(routes()).toMatchObject([{ oif: eth0.index }]);
  });

  test('an IPv4 route over an IPv6 gateway', () => {
    addRoute(pod.socket, { dst: any, gateway: ip('fd00:22::1'), link: eth0 });
    expect(routes()).toMatchObject([{ family: 4, gateway: 'fd00:22::1' }]);
  });

  test('a gateway that only onlink makes reachable', () => {
    const route = via('169.254.1.1');
    expect(refusal(() => addRoute(pod.socket, route))).toStartWith(
      'add route 0.0.0.0/0 via 169.254.1.1 dev "eth0": Network is unreachable (ENETUNREACH)',
    );
    addRoute(pod.socket, { ...route, onlink: true });
    expect(gateways()).toEqual(['169.254.1.1']);
  });

  test('where there is one already', () => {
    addRoute(pod.socket, via('10.22.0.1'));
    const exists = 'add route 0.0.0.0/0 via 10.22.0.1 dev "eth0": File exists (EEXIST)';
    for (const how of ['exclusive', 'append', 'before'] as const) {
      expect(refusal(() => addRoute(pod.socket, via('10.22.0.1'), how))).toBe(exists);
    }
    expect(refusal(() => addRoute(pod.socket, via('10.22.0.2')))).toContain('(EEXIST)');
    addRoute(pod.socket, via('10.22.0.2'), 'before');
    addRoute(pod.socket, via('10.22.0.3'), 'append');
    expect(gateways()).toEqual(['10.22.0.2', '10.22.0.1', '10.22.0.3']);
    replaceRoute(pod.socket, via('10.22.0.4'));
    expect(gateways()).toEqual(['10.22.0.4', '10.22.0.1', '10.22.0.3']);
    replaceRoute(pod.socket, { dst: prefix('10.40.0.0/16'), link: eth0 });
    expect(routes().length).toBe(4);
  });

  test('where there is one already, in IPv6', () => {
    addRoute(pod.socket, via('fd00:22::1'));
    expect(refusal(() => addRoute(pod.socket, via('fd00:22::1')))).toBe(
      'add route ::/0 via fd00:22::1 dev "eth0": File exists (EEXIST)',
    );
    addRoute(pod.socket, via('fd00:22::2'), 'before');
    expect(routes()[0]?.nextHops?.map(({ gateway }) => gateway)).toEqual(['fd00:22::1', 'fd00:22::2']);
  });

  test('deleted only if it is so', () => {
    addRoute(pod.socket, via('10.22.0.1', { priority: 5 }));
    for (const other of [{ priority: 6 }, { gateway: ip('10.22.0.2') }, { protocol: 4 }, { scope: 253 }]) {
      expect(refusal(() => deleteRoute(pod.socket, via('10.22.0.1', other)))).toContain('(ESRCH)');
    }
    deleteRoute(pod.socket, via('10.22.0.1', { priority: 5, protocol: 3, scope: 0, type: 1 }));
    expect(routes()).toEqual([]);
  });

  describe('refused', () => {
    test('a route that is not there', () => {
      expect(refusal(() => deleteRoute(pod.socket, { dst: prefix('fd00:50::/64') }))).toBe(
        'delete route fd00:50::/64: No such process (ESRCH)',
      );
      const route = { dst: prefix('10.50.0.0/16'), table: 7 };
      expect(refusal(() => deleteRoute(pod.socket, route))).toStartWith(
        'delete route 10.50.0.0/16 table 7: No such process (ESRCH)',
      );
    });

    test('host bits', () => {
      expect(refusal(() => addRoute(pod.socket, { dst: prefix('10.30.0.1/16'), link: eth0 }))).toStartWith(
        'add route 10.30.0.1/16 dev "eth0": Invalid argument (EINVAL)',
      );
    });

    test('a link that is gone, and one that is down', () => {
      expect(refusal(() => addRoute(pod.socket, { dst: any, link: gone }))).toBe(
        'add route 0.0.0.0/0 dev "gone": No such device (ENODEV)',
      );
      const down = createVeth(pod.socket, { name: 'down0' }, { name: 'down1' });
      expect(refusal(() => addRoute(pod.socket, { dst: any, link: down }))).toStartWith(
        'add route 0.0.0.0/0 dev "down0": Network is down (ENETDOWN)',
      );
    });

    test('a gateway that cannot be reached', () => {
      expect(refusal(() => addRoute(pod.socket, via('fd01::1')))).toStartWith(
        'add route ::/0 via fd01::1 dev "eth0": No route to host (EHOSTUNREACH)',
      );
    });

    test('one who may not', () => {
      const code = `(socket, { dst: { ip: new Uint8Array(4), prefixLength: 0 }, link: { index: 1, name: 'lo' } })`;
      for (const [name, verb] of [
        ['addRoute', 'add'],
        ['replaceRoute', 'replace'],
        ['deleteRoute', 'delete'],
      ]) {
        expect(refusalToNobody(pod.scratch, 'route-change.ts', `kernel.${name}${code}`)).toBe(
          `NetlinkError: ${verb} route 0.0.0.0/0 dev "lo": Operation not permitted (EPERM)`,
        );
      }
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { askByArp } from '../../../src/kernel/inet/arp.ts';
import { openEcho } from '../../../src/kernel/inet/echo.ts';
import { openInetSocket } from '../../../src/kernel/inet/inet-socket.ts';
import { askByNdp } from '../../../src/kernel/inet/neighbour-discovery.ts';
import { getLink, type Link } from '../../../src/kernel/netlink/link.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { type Namespace, openNamespace } from '../../../src/kernel/netns.ts';
import { readNetworkCounters } from '../../../src/kernel/network-counters.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';

const ip = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const six = (last: number): Uint8Array => ip(0xfd, 0, ...new Array<number>(13).fill(0), last);

describe.if(requires('root', 'ip'))('sockets in a namespace', () => {
  let here: ScratchNamespace;
  let there: ScratchNamespace;
  let namespace: Namespace;
  let link: Link;
  beforeAll(() => {
    [here, there] = [scratchNamespace('link set lo up'), scratchNamespace('link set lo up')];
    here.ip(`link add a0 type veth peer name b0 netns ${there.name}`, 'link set a0 up');
    there.ip('link set b0 up address 02:00:00:00:00:0b');
    here.ip('address add 10.9.0.1/24 dev a0', 'address add fd00::1/64 dev a0 nodad');
    there.ip('address add 10.9.0.2/24 dev b0', 'address add fd00::2/64 dev b0 nodad');
    namespace = openNamespace(here.path);
    const socket = openRouteSocket(namespace);
    link = getLink(socket, 'a0') as Link;
    socket.close();
  });
  afterAll(() => {
    namespace.close();
    here.remove();
    there.remove();
  });

  test('who has an address, by ARP and NDP', () => {
    const four = { link, source: ip(10, 9, 0, 1), atMostMs: 1000 };
    expect(askByArp(namespace, { ...four, target: ip(10, 9, 0, 2) })?.mac).toBe('02:00:00:00:00:0b');
    expect(askByArp(namespace, { ...four, target: ip(10, 9, 0, 3), atMostMs: 60 })).toBeUndefined();
    const other = { link, source: six(1), atMostMs: 1000 };
    expect(askByNdp(namespace, { ...other, target: six(2) })?.mac).toBe('02:00:00:00:00:0b');
    expect(askByNdp(namespace, { ...other, target: six(3), atMostMs: 60 })).toBeUndefined();
  });

  test.each([
    [4, ip(10, 9, 0, 2), ip(10, 9, 0, 1)],
    [6, six(2), six(1)],
  ] as const)('an echo of IPv%p, of the length that is asked for', (family, target, source) => {
    using echo = openEcho(family, namespace, source);
    for (const packetBytes of [0, 600, 1500])
      expect(echo.ask({ target, payload: Buffer.from('cookie'), packetBytes, atMostMs: 2000 }).kind).toBe(
        'reply',
      );
    const tooLong = { target, payload: Buffer.from('cookie'), packetBytes: 1501, atMostMs: 100 };
    expect(() => echo.ask(tooLong)).toThrow('EMSGSIZE');
  });

  test('a datagram, and that nobody takes it', () => {
    using socket = openInetSocket('udp', 4, namespace);
    socket.connect({ ip: ip(10, 9, 0, 2), port: 9 });
    expect(socket.local().ip).toEqual(Buffer.from(ip(10, 9, 0, 1)));
    socket.send(Buffer.from('x'));
    expect(() => socket.receive(1000)).toThrow('ECONNREFUSED');
    expect(() => socket.sendTo(Buffer.from('x'), { ip: ip(10, 10, 0, 1), port: 9 })).toThrow(
      'sendto "10.10.0.1:9": Network is unreachable (ENETUNREACH)',
    );
  });

  test('a connection that is refused, and one that nobody answers, in time', () => {
    using refused = openInetSocket('tcp', 6, namespace);
    expect(() => refused.connect({ ip: six(2), port: 9 })).toThrow('connect "[fd00::2]:9"');
    using silent = openInetSocket('tcp', 4, namespace);
    const begun = performance.now();
    expect(() => silent.connect({ ip: ip(10, 9, 0, 77), port: 9 }, 100)).toThrow('EINPROGRESS');
    expect(performance.now() - begun).toBeLessThan(500);
  });

  test("the namespace's own counters", () => {
    const before = readNetworkCounters(namespace);
    using socket = openInetSocket('udp', 4, namespace);
    for (let sent = 0; sent < 7; sent++) socket.sendTo(Buffer.from('x'), { ip: ip(10, 9, 0, 2), port: 9 });
    const after = readNetworkCounters(namespace);
    expect((after.get('UdpOutDatagrams') ?? 0) - (before.get('UdpOutDatagrams') ?? 0)).toBe(7);
    for (const name of ['IpForwDatagrams', 'IpExtInNoRoutes', 'TcpExtIPReversePathFilter', 'Ip6InNoRoutes'])
      expect(after.get(name)).toBeNumber();
  });
});

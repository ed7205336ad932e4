import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { decodeLink, getLink, type Link, listLinks } from '../../../src/kernel/netlink/link.ts';
import { type NetlinkSocket, openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const captured = capturedPayloads('links', 16);

test('captured links', () => {
  expect(captured.map(decodeLink)).toEqual([
    {
      index: 1,
      name: 'lo',
      mac: '00:00:00:00:00:00',
      mtu: 65536,
      up: true,
      running: true,
      flags: 0x10049,
      operstate: 0,
      promiscuity: 0,
      addrGenMode: 0,
    },
    {
      index: 2,
      name: 'macvlan0',
      mac: '02:00:00:00:00:07',
      mtu: 1450,
      up: false,
      running: false,
      flags: 0x1002,
      operstate: 2,
      promiscuity: 0,
      kind: 'macvlan',
      macvlanMode: 'bridge',
      link: 3,
      addrGenMode: 0,
    },
    {
      index: 3,
      name: 'eth0',
      mac: '02:00:00:00:00:01',
      mtu: 1450,
      up: true,
      running: true,
      flags: 0x11043,
      operstate: 6,
      promiscuity: 0,
      kind: 'veth',
      link: 4,
      linkNetnsid: 0,
      alias: 'bridge of shop, eth0',
      addrGenMode: 0,
    },
    {
      index: 4,
      name: 'right',
      mac: '02:00:00:00:00:0b',
      mtu: 1500,
      up: false,
      running: false,
      flags: 0x1002,
      operstate: 2,
      promiscuity: 0,
      kind: 'veth',
      link: 5,
      addrGenMode: 0,
    },
    {
      index: 5,
      name: 'left',
      mac: '02:00:00:00:00:0a',
      mtu: 1500,
      up: false,
      running: false,
      flags: 0x1002,
      operstate: 2,
      promiscuity: 0,
      kind: 'veth',
      link: 4,
      addrGenMode: 0,
    },
  ] satisfies Link[]);
});

test('keys that are not there are not there', () => {
  expect(Object.keys(decodeLink(captured[0]!))).toEqual([
    'index',
    'name',
    'mac',
    'mtu',
    'up',
    'running',
    'flags',
    'operstate',
    'promiscuity',
    'addrGenMode',
  ]);
});

test('mutated links', () => {
  expectNoCrash(captured, decodeLink);
});

describe.if(requires('root', 'ip'))('a namespace', () => {
  let scratch: ScratchNamespace;
  let socket: NetlinkSocket;

  beforeAll(() => {
    scratch = scratchNamespace(
      'link set lo up',
      'link add br0 type bridge',
      'link add veth0 type veth peer name veth1',
      'link set veth0 master br0 up',
      `link set veth1 mtu 1280 up alias 'say "hé"'`,
      'link set br0 up',
    );
    const namespace = openNamespace(scratch.path);
    socket = openRouteSocket(namespace);
    namespace.close();
  });
  afterAll(() => {
    socket.close();
    scratch.remove();
  });

  test('listLinks agrees with `ip link`', () => {
    interface IpLink {
      ifindex: number;
      ifname: string;
      address: string;
      mtu: number;
      flags: string[];
      linkinfo?: { info_kind?: string };
    }
    const expected = scratch.show<IpLink[]>('-details', 'link').map((link) => ({
      index: link.ifindex,
      name: link.ifname,
      mac: link.address,
      mtu: link.mtu,
      up: link.flags.includes('UP'),
      kind: link.linkinfo?.info_kind,
    }));
    const links = listLinks(socket).map(({ index, name, mac, mtu, up, kind }) => ({
      index,
      name,
      mac,
      mtu,
      up,
      kind,
    }));
    expect(links as unknown).toEqual(expected);
    expect(links.length).toBe(4);
  });

  test('getLink finds one by name, and its relations by index', () => {
    const bridge = getLink(socket, 'br0');
    const port = getLink(socket, 'veth0');
    const peer = getLink(socket, 'veth1');
    expect(port).toMatchObject({ kind: 'veth', master: bridge!.index, link: peer!.index, promiscuity: 1 });
    expect(port?.port).toMatchObject({ hairpin: false, isolated: false });
    expect(bridge).toMatchObject({ kind: 'bridge', vlanFiltering: false });
    expect(getLink(socket, port!.index)).toEqual(port!);
    expect(peer).toMatchObject({ mtu: 1280, link: port!.index, up: true, running: true });
    expect(peer?.alias).toBe('say "hé"');
    expect(listLinks(socket)).toContainEqual(port!);
  });

  test('getLink knows no link that is not there', () => {
    expect(getLink(socket, 4000)).toBeUndefined();
    expect(getLink(socket, 'missing')).toBeUndefined();
  });

  test('getLink refuses a name that no link can have', () => {
    expect(() => getLink(socket, 'sixteen-letters-')).toThrow(
      'get link "sixteen-letters-": Numerical result out of range (ERANGE): Attribute failed policy validation',
    );
  });

  test('five hundred links, which take many datagrams', () => {
    const many = scratchNamespace();
    try {
      many.ip(...Array.from({ length: 250 }, (_, n) => `link add a${n} type veth peer name b${n}`));
      const namespace = openNamespace(many.path);
      const manyLinks = openRouteSocket(namespace);
      const names = listLinks(manyLinks).map(({ name }) => name);
      manyLinks.close();
      namespace.close();
      expect(new Set(names).size).toBe(501);
    } finally {
      many.remove();
    }
  }, 60_000);
});

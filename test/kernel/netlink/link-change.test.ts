import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { getLink, type Link } from '../../../src/kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../../../src/kernel/netlink/link-change.ts';
import { createBridge, createVeth } from '../../../src/kernel/netlink/link-create.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { currentNamespace, runIn } from '../../../src/kernel/netns.ts';
import { readSysctl } from '../../../src/kernel/sysctl.ts';
import { requires } from '../../requirements.ts';
import { type Place, place, refusal, refusalToNobody } from './place.ts';
import { comparable, LINK, sentByIp, sentByUs } from './sent.ts';

const br0 = { index: 2, name: 'br0' };
const veth0 = { index: 4, name: 'veth0' };
const port0 = { index: 6, name: 'port0' };
const gone = { index: 4000, name: 'gone' };
const here = currentNamespace();

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'ip link set dev veth0 address 02:00:00:00:00:25 mtu 1300 up promisc on alias shop master br0 addrgenmode none',
    (socket) =>
      changeLink(socket, veth0, {
        mac: '02:00:00:00:00:25',
        mtu: 1300,
        up: true,
        promiscuous: true,
        alias: 'shop',
        master: br0,
        addrGenMode: 1,
      }),
  ],
  [
    'ip link set dev veth0 down promisc off nomaster name veth5 netns NETNS',
    (socket) =>
      changeLink(socket, veth0, {
        up: false,
        promiscuous: false,
        master: null,
        name: 'veth5',
        namespace: here,
      }),
  ],
  [
    'ip link set dev port0 type bridge_slave hairpin on isolated off',
    (socket) => changeLink(socket, port0, { port: { hairpin: true, isolated: false } }),
  ],
  ['ip link delete dev port0', (socket) => deleteLink(socket, port0)],
])('sent as by `%s`', (command, run) => {
  expect(comparable(sentByUs(run), LINK)).toEqual(comparable(sentByIp(command), LINK));
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let pod: Place;
  let bridge: Link;
  let count = 0;
  const fresh = (): Link => {
    count += 1;
    return createVeth(node.socket, { name: `veth${count}` }, { name: `peer${count}` });
  };
  const now = (link: Link): Link => getLink(node.socket, link.index)!;

  beforeAll(() => {
    node = place();
    pod = place();
    bridge = createBridge(node.socket, { name: 'br0', up: true });
  });
  afterAll(() => {
    node.close();
    pod.close();
  });

  test('all at once', () => {
    const link = fresh();
    changeLink(node.socket, link, {
      name: 'renamed',
      mac: '02:00:00:00:00:11',
      mtu: 1300,
      up: true,
      promiscuous: true,
      master: bridge,
      alias: 'net shop, container c1, eth0',
      arpNotify: true,
      addrGenMode: 1,
    });
    expect(now(link)).toMatchObject({
      name: 'renamed',
      mac: '02:00:00:00:00:11',
      mtu: 1300,
      up: true,
      promiscuity: 2,
      master: bridge.index,
      alias: 'net shop, container c1, eth0',
      addrGenMode: 1,
    });
    expect(now(link).flags & 0x100).toBe(0x100);
    expect(runIn(node.namespace, () => readSysctl('net/ipv4/conf/renamed/arp_notify'))).toBe('1');
  });

  test('what is not named stays', () => {
    const link = fresh();
    changeLink(node.socket, link, { up: true, promiscuous: true, alias: 'mine', mtu: 1300 });
    changeLink(node.socket, link, { mtu: 1400 });
    expect(now(link)).toMatchObject({ up: true, promiscuity: 1, alias: 'mine', mtu: 1400 });
    changeLink(node.socket, link, { promiscuous: false });
    expect(now(link)).toMatchObject({ up: true, promiscuity: 0 });
    changeLink(node.socket, link, { up: false });
    expect(now(link).up).toBe(false);
  });

  test('options of a port beside others, once it is one', () => {
    const link = fresh();
    changeLink(node.socket, link, { master: bridge });
    changeLink(node.socket, link, { port: { hairpin: true, isolated: true }, alias: 'a port', up: true });
    expect(now(link)).toMatchObject({ port: { hairpin: true, isolated: true }, alias: 'a port', up: true });
    changeLink(node.socket, link, { port: { hairpin: false } });
    expect(now(link).port).toMatchObject({ hairpin: false, isolated: true });
    changeLink(node.socket, link, { master: null });
    expect(now(link).master).toBeUndefined();
    expect(now(link).port).toBeUndefined();
  });

  test('an alias has 255 bytes', () => {
    const alias = `${'é'.repeat(127)}x`;
    const link = fresh();
    changeLink(node.socket, link, { alias });
    expect(now(link).alias).toBe(alias);
    expect(refusal(() => changeLink(node.socket, link, { alias: 'x'.repeat(256) }))).toContain('(ERANGE)');
  });

  test('into another namespace, under another name', () => {
    const link = fresh();
    changeLink(node.socket, link, { namespace: pod.namespace, name: 'eth0', up: true });
    expect(getLink(node.socket, link.name)).toBeUndefined();
    expect(getLink(pod.socket, 'eth0')).toMatchObject({ up: true, mac: link.mac! });
  });

  test('a name that is taken there: it has moved', () => {
    const link = fresh();
    createBridge(pod.socket, { name: 'there' });
    expect(refusal(() => changeLink(node.socket, link, { namespace: pod.namespace, name: 'there' }))).toBe(
      `set link "${link.name}" name "there" netns "${pod.scratch.path}": File exists (EEXIST)`,
    );
    expect(getLink(pod.socket, link.name)?.mac).toBe(link.mac!);
  });

  test('what came before the refused change stays', () => {
    const link = fresh();
    expect(() => changeLink(node.socket, link, { mtu: 1300, master: { index: 1, name: 'lo' } })).toThrow();
    expect(now(link)).toMatchObject({ mtu: 1300 });
  });

  test('deleted by its index, or by its name alone; a veth with its other end', () => {
    const [one, two] = [fresh(), fresh()];
    deleteLink(node.socket, one);
    deleteLink(node.socket, { name: two.name });
    for (const { index, link } of [one, two]) {
      expect(getLink(node.socket, index)).toBeUndefined();
      expect(getLink(node.socket, link!)).toBeUndefined();
    }
  });

  describe('refused', () => {
    test('a link that is gone', () => {
      expect(refusal(() => changeLink(node.socket, gone, { up: true, mtu: 1400 }))).toBe(
        'set link "gone" up mtu 1400: No such device (ENODEV)',
      );
      expect(refusal(() => deleteLink(node.socket, gone))).toBe(
        'delete link "gone": No such device (ENODEV)',
      );
      expect(refusal(() => deleteLink(node.socket, { name: 'gone' }))).toBe(
        'delete link "gone": No such device (ENODEV)',
      );
    });

    test('the loopback is not deleted', () => {
      expect(refusal(() => deleteLink(node.socket, { name: 'lo' }))).toBe(
        'delete link "lo": Operation not supported (EOPNOTSUPP)',
      );
    });

    test.each<[object, string]>([
      [{ master: { index: 1, name: 'lo' } }, 'master "lo": Operation not supported (EOPNOTSUPP)'],
      [{ master: gone }, 'master "gone": Invalid argument (EINVAL)'],
      [{ name: 'lo' }, 'name "lo": File exists (EEXIST)'],
      [{ mtu: 10 }, 'mtu 10: Invalid argument (EINVAL): mtu less than device minimum'],
      [
        { mac: '01:00:00:00:00:01' },
        'address 01:00:00:00:00:01: Cannot assign requested address (EADDRNOTAVAIL)',
      ],
      [{ mac: '02:00' }, 'address 02:00: Invalid argument (EINVAL)'],
      [{ port: { hairpin: true } }, 'hairpin on: Operation not supported (EOPNOTSUPP)'],
    ])('%o', (change, message) => {
      const link = fresh();
      expect(refusal(() => changeLink(node.socket, link, change))).toBe(`set link "${link.name}" ${message}`);
    });

    test('options of a port in the message that makes it one', () => {
      const link = fresh();
      expect(
        refusal(() => changeLink(node.socket, link, { master: bridge, port: { isolated: true } })),
      ).toContain('(EOPNOTSUPP)');
    });

    test('one who may not', () => {
      const refused = (code: string): string => refusalToNobody(node.scratch, 'link-change.ts', code);
      expect(refused(`kernel.changeLink(socket, { index: 1, name: 'lo' }, { up: true })`)).toBe(
        'NetlinkError: set link "lo" up: Operation not permitted (EPERM)',
      );
      expect(refused(`kernel.deleteLink(socket, { name: 'br0' })`)).toBe(
        'NetlinkError: delete link "br0": Operation not permitted (EPERM)',
      );
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { getLink, listLinks } from '../../../src/kernel/netlink/link.ts';
import { createBridge, createMacvlan, createVeth } from '../../../src/kernel/netlink/link-create.ts';
import { decodeMessages, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { currentNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { capturedPayloads } from './captured.ts';
import { type Place, place, refusal, refusalToNobody } from './place.ts';
import { comparable, LINK, LINK_WITHOUT_PEER, sentByIp, sentByUs } from './sent.ts';

const here = currentNamespace();
const br0 = { index: 2, name: 'br0' };
const veth0 = { index: 4, name: 'veth0' };

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'ip link add name br1 address 02:00:00:00:00:21 mtu 1400 up type bridge',
    (socket) => createBridge(socket, { name: 'br1', mac: '02:00:00:00:00:21', mtu: 1400, up: true }),
  ],
  [
    'ip link add name br2 type bridge vlan_filtering 1',
    (socket) => createBridge(socket, { name: 'br2', vlanFiltering: true }),
  ],
  [
    'ip link add name macvlan1 link veth0 address 02:00:00:00:00:24 mtu 1300 up netns NETNS type macvlan mode private bcqueuelen 500',
    (socket) =>
      createMacvlan(socket, {
        name: 'macvlan1',
        parent: veth0,
        mode: 'private',
        mac: '02:00:00:00:00:24',
        mtu: 1300,
        up: true,
        bcQueueLength: 500,
        namespace: here,
      }),
  ],
])('sent as by `%s`', (command, run) => {
  const ours = comparable(sentByUs(run), LINK_WITHOUT_PEER);
  expect(ours).toEqual(comparable(sentByIp(command), LINK_WITHOUT_PEER));
});

test('a veth is sent as by `ip link add ... type veth peer ...`', () => {
  const command =
    'ip link add name veth1 address 02:00:00:00:00:22 mtu 1400 up master br0 type veth peer name eth1 address 02:00:00:00:00:23 mtu 1400 netns NETNS';
  const ours = sentByUs((socket) =>
    createVeth(
      socket,
      { name: 'veth1', mac: '02:00:00:00:00:22', mtu: 1400, up: true, master: br0 },
      { name: 'eth1', mac: '02:00:00:00:00:23', mtu: 1400, namespace: here },
    ),
  );
  expect(comparable(ours, LINK)).toEqual(comparable(sentByIp(command), LINK));
});

test('a kernel before 6.2 announces nothing to us, and is asked', () => {
  const [portLink] = capturedPayloads('port-link', 16);
  const sent: number[] = [];
  const channel = {
    portId: 0,
    send: (message: Buffer) => void sent.push(...decodeMessages(message).map(({ type }) => type)),
    receive() {
      const answer = { flags: 0, sequence: sent.length };
      const end = encodeMessage({ ...answer, type: 2, payload: Buffer.alloc(20) });
      if (sent.length === 1) return end;
      return Buffer.concat([encodeMessage({ ...answer, type: 16, payload: portLink! }), end]);
    },
    close() {},
  };
  expect(createBridge(new NetlinkSocket(channel), { name: 'veth0' })).toMatchObject({
    name: 'veth0',
    index: 4,
  });
  expect(sent).toEqual([16, 18]);
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let pod: Place;

  beforeAll(() => {
    node = place();
    pod = place('link add eth0 type bridge');
  });
  afterAll(() => {
    node.close();
    pod.close();
  });

  test('a bridge is answered as it is', () => {
    const bridge = createBridge(node.socket, {
      name: 'br0',
      mac: '02:00:00:00:00:01',
      mtu: 1400,
      up: true,
      vlanFiltering: false,
    });
    expect(bridge).toMatchObject({
      name: 'br0',
      kind: 'bridge',
      mac: '02:00:00:00:00:01',
      mtu: 1400,
      up: true,
      vlanFiltering: false,
    });
    const { index, mac } = bridge;
    expect(getLink(node.socket, 'br0')).toMatchObject({ index, mac: mac! });
  });

  test('a bridge with nothing but a name', () => {
    expect(createBridge(node.socket, { name: 'plain' })).toMatchObject({ mtu: 1500, up: false });
  });

  test('a veth: one end up and a port, the other in its namespace', () => {
    const bridge = createBridge(node.socket, { name: 'br-veth', up: true });
    const veth = createVeth(
      node.socket,
      { name: 'veth0', mac: '02:00:00:00:00:02', mtu: 1300, up: true, master: bridge },
      { name: 'eth1', mac: '02:00:00:00:00:03', mtu: 1300, namespace: pod.namespace },
    );
    const peer = getLink(pod.socket, 'eth1')!;
    expect(veth).toMatchObject({ mac: '02:00:00:00:00:02', mtu: 1300, up: true, link: peer.index });
    expect(getLink(node.socket, veth.index)).toMatchObject({ name: 'veth0', master: bridge.index });
    expect(peer).toMatchObject({ mac: '02:00:00:00:00:03', mtu: 1300, up: false, link: veth.index });
    expect(listLinks(node.socket).map(({ name }) => name)).not.toContain('eth1');
  });

  test('a veth with both ends in one namespace', () => {
    const veth = createVeth(node.socket, { name: 'left' }, { name: 'right' });
    expect(getLink(node.socket, 'right')).toMatchObject({ index: veth.link!, link: veth.index });
  });

  test('a macvlan, in another namespace or in ours', () => {
    const parent = createVeth(node.socket, { name: 'parent', up: true }, { name: 'other' });
    const common = { parent, mode: 'bridge', up: true } as const;
    createMacvlan(node.socket, {
      ...common,
      name: 'mac0',
      namespace: pod.namespace,
      mtu: 1200,
      bcQueueLength: 50,
    });
    createMacvlan(node.socket, { ...common, name: 'mac1', mac: '02:00:00:00:00:04' });
    expect(getLink(pod.socket, 'mac0')).toMatchObject({
      kind: 'macvlan',
      macvlanMode: 'bridge',
      link: parent.index,
      mtu: 1200,
      up: true,
    });
    expect(getLink(node.socket, 'mac1')).toMatchObject({ kind: 'macvlan', mac: '02:00:00:00:00:04' });
    const [shown] = pod.scratch.show<{ linkinfo: { info_data: object } }[]>('-d', 'link', 'show', 'mac0');
    expect(shown?.linkinfo.info_data).toMatchObject({ mode: 'bridge', bcqueuelen: 50 });
  });

  describe('refused', () => {
    const links = (): unknown =>
      [node, pod].map(({ socket }) =>
        listLinks(socket).map(({ index, name, master }) => [index, name, master]),
      );

    test('a name that is taken', () => {
      createBridge(node.socket, { name: 'taken' });
      const before = links();
      expect(refusal(() => createBridge(node.socket, { name: 'taken' }))).toBe(
        'create bridge "taken": File exists (EEXIST)',
      );
      expect(refusal(() => createVeth(node.socket, { name: 'taken' }, { name: 'free' }))).toBe(
        'create veth "taken" with peer "free": File exists (EEXIST): there is a link "taken" already',
      );
      expect(
        refusal(() => createVeth(node.socket, { name: 'free' }, { name: 'eth0', namespace: pod.namespace })),
      ).toBe('create veth "free" with peer "eth0": File exists (EEXIST): there is a link "eth0" already');
      expect(links()).toEqual(before);
    });

    test('a name that no link can have', () => {
      expect(refusal(() => createBridge(node.socket, { name: 'a/b' }))).toBe(
        'create bridge "a/b": Invalid argument (EINVAL)',
      );
    });

    test('a master that is no bridge, or gone: nothing is left', () => {
      const lo = { index: 1, name: 'lo' };
      const gone = { index: 4000, name: 'gone' };
      const before = links();
      const create = (master: { index: number; name: string }): string =>
        refusal(() =>
          createVeth(node.socket, { name: 'x', up: true, master }, { name: 'y', namespace: pod.namespace }),
        );
      expect(create(lo)).toBe(
        'create veth "x" with peer "y", master "lo": Operation not supported (EOPNOTSUPP)',
      );
      expect(create(gone)).toBe('create veth "x" with peer "y", master "gone": Invalid argument (EINVAL)');
      expect(links()).toEqual(before);
    });

    test('a macvlan without its parent, on a port, and one larger than its parent', () => {
      const parent = createVeth(node.socket, { name: 'small', mtu: 1200 }, { name: 'small-peer' });
      const refused = (more: object): string =>
        refusal(() => createMacvlan(node.socket, { name: 'm', parent, mode: 'bridge', ...more }));
      expect(refused({ parent: { index: 4000, name: 'gone' } })).toBe(
        'create macvlan "m" on "gone": No such device (ENODEV)',
      );
      const master = createBridge(node.socket, { name: 'br-port' });
      const port = createVeth(node.socket, { name: 'port', master }, { name: 'port-peer' });
      expect(refused({ parent: port })).toStartWith(
        'create macvlan "m" on "port": Device or resource busy (EBUSY)',
      );
      expect(refused({ mtu: 1300 })).toStartWith('create macvlan "m" on "small": Invalid argument (EINVAL)');
    });

    test('a malformed MAC', () => {
      expect(() => createBridge(node.socket, { name: 'b', mac: 'zz' })).toThrow(RangeError);
    });

    test('one who may not', () => {
      expect(
        refusalToNobody(node.scratch, 'link-create.ts', `kernel.createBridge(socket, { name: 'nobody' })`),
      ).toBe('NetlinkError: create bridge "nobody": Operation not permitted (EPERM)');
      expect(
        refusalToNobody(
          node.scratch,
          'link-create.ts',
          `kernel.createVeth(socket, { name: 'nobody0' }, { name: 'nobody1' })`,
        ),
      ).toBe('NetlinkError: create veth "nobody0" with peer "nobody1": Operation not permitted (EPERM)');
    });

    test('VLAN filtering by a kernel that has none', () => {
      try {
        expect(createBridge(node.socket, { name: 'filtering', vlanFiltering: true }).vlanFiltering).toBe(
          true,
        );
      } catch (error) {
        expect(String(error)).toBe(
          'NetlinkError: create bridge "filtering": Operation not supported (EOPNOTSUPP)',
        );
        expect(getLink(node.socket, 'filtering')).toBeUndefined();
      }
    });
  });
});

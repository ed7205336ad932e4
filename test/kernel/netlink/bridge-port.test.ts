import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  type BridgePort,
  changeBridgePort,
  decodeBridgePort,
  getBridgePort,
  listBridgePorts,
} from '../../../src/kernel/netlink/bridge-port.ts';
import { decodeLink, type Link } from '../../../src/kernel/netlink/link.ts';
import { createBridge, createVeth } from '../../../src/kernel/netlink/link-create.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { requires } from '../../requirements.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';
import { type Place, place, refusal, refusalToNobody } from './place.ts';
import { comparable, LINK, sentByIp, sentByUs } from './sent.ts';

const captured = capturedPayloads('bridge-ports', 16);
const [portLink] = capturedPayloads('port-link', 16);

test('captured ports', () => {
  expect(captured.map(decodeBridgePort)).toEqual([
    { index: 4, name: 'veth0', master: 2, state: 3, hairpin: true, isolated: true },
  ] satisfies BridgePort[]);
});

test('a captured link that is a port', () => {
  expect(decodeLink(portLink!)).toEqual({
    index: 4,
    name: 'veth0',
    mac: '02:00:00:00:00:11',
    mtu: 1500,
    up: true,
    running: true,
    flags: 0x11043,
    operstate: 6,
    promiscuity: 1,
    kind: 'veth',
    master: 2,
    link: 3,
    linkNetnsid: 0,
    port: { state: 3, hairpin: true, isolated: true },
    addrGenMode: 0,
  } satisfies Link);
});

test('a port before Linux 4.18 says nothing of isolation', () => {
  const old = Buffer.from(captured[0]!);
  const isolated = old.indexOf(Buffer.from([5, 0, 33, 0, 1, 0, 0, 0]));
  old.writeUInt16LE(0x3fff, isolated + 2);
  expect(decodeBridgePort(old)).toEqual({ index: 4, name: 'veth0', master: 2, state: 3, hairpin: true });
});

test('a bridge itself is no port', () => {
  expect(decodeBridgePort(captured[0]!.subarray(0, 16))).toBeUndefined();
});

test('a port without a state is refused', () => {
  const payload = Buffer.concat([Buffer.alloc(16), Buffer.from('08000a000200000004000c80', 'hex')]);
  expect(() => decodeBridgePort(payload)).toThrow(MalformedMessageError);
});

test('mutated ports', () => {
  expectNoCrash(captured, decodeBridgePort);
  expectNoCrash([portLink!], decodeLink);
});

test('sent as by `bridge link set`', () => {
  const ours = sentByUs((socket) =>
    changeBridgePort(socket, { index: 6, name: 'port0' }, { hairpin: true, isolated: true }),
  );
  const theirs = sentByIp('bridge link set dev port0 hairpin on isolated on');
  expect(comparable(ours, LINK)).toEqual(comparable(theirs, LINK));
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let bridge: Link;
  let port: Link;
  let other: Link;

  beforeAll(() => {
    node = place();
    bridge = createBridge(node.socket, { name: 'br0', up: true });
    port = createVeth(node.socket, { name: 'veth0', up: true, master: bridge }, { name: 'eth0' });
    other = createVeth(node.socket, { name: 'veth1', up: true, master: bridge }, { name: 'eth1' });
  });
  afterAll(() => node.close());

  test('options are set, and what is not named stays', () => {
    const options = (): object => {
      const { hairpin, isolated } = getBridgePort(node.socket, 'veth0')!;
      return { hairpin, isolated };
    };
    expect(options()).toEqual({ hairpin: false, isolated: false });
    changeBridgePort(node.socket, port, { hairpin: true });
    expect(options()).toEqual({ hairpin: true, isolated: false });
    changeBridgePort(node.socket, port, { isolated: true });
    expect(options()).toEqual({ hairpin: true, isolated: true });
    changeBridgePort(node.socket, port, { hairpin: false, isolated: false });
    expect(options()).toEqual({ hairpin: false, isolated: false });
  });

  test('listBridgePorts and getBridgePort agree with each other and with `bridge`', () => {
    changeBridgePort(node.socket, other, { hairpin: true });
    const ports = listBridgePorts(node.socket);
    expect(ports.map(({ name }) => name).sort()).toEqual(['veth0', 'veth1']);
    for (const port of ports) {
      expect(port.master).toBe(bridge.index);
      // The carrier of what was just made may be found missing between the two.
      expect({ ...getBridgePort(node.socket, port.index)!, state: port.state }).toEqual(port);
      const [shown] = node.scratch.show<{ linkinfo: { info_slave_data: { hairpin: boolean } } }[]>(
        '-d',
        'link',
        'show',
        port.name,
      );
      expect(port.hairpin).toBe(shown!.linkinfo.info_slave_data.hairpin);
    }
  });

  test('what is no port has none', () => {
    for (const name of ['br0', 'eth0', 'gone']) expect(getBridgePort(node.socket, name)).toBeUndefined();
  });

  test('refused', () => {
    expect(
      refusal(() => changeBridgePort(node.socket, { index: port.link!, name: 'eth0' }, { hairpin: true })),
    ).toBe('set bridge port "eth0" hairpin on: Operation not supported (EOPNOTSUPP)');
    expect(
      refusal(() => changeBridgePort(node.socket, { index: 4000, name: 'gone' }, { isolated: false })),
    ).toBe('set bridge port "gone" isolated off: No such device (ENODEV): unknown ifindex');
    expect(
      refusalToNobody(
        node.scratch,
        'bridge-port.ts',
        `kernel.changeBridgePort(socket, { index: ${port.index}, name: 'veth0' }, { hairpin: true, isolated: true })`,
      ),
    ).toBe('NetlinkError: set bridge port "veth0" hairpin on isolated on: Operation not permitted (EPERM)');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { attribute, nested } from '../../../src/kernel/netlink/attribute.ts';
import {
  addPortVlan,
  decodePortVlans,
  listPortVlans,
  type PortVlan,
  removePortVlan,
} from '../../../src/kernel/netlink/bridge-vlan.ts';
import type { Link } from '../../../src/kernel/netlink/link.ts';
import { createBridge, createVeth } from '../../../src/kernel/netlink/link-create.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { requires } from '../../requirements.ts';
import { expectNoCrash } from './mutation.ts';
import { type Place, place, refusal, refusalToNobody } from './place.ts';
import { comparable, LINK_WITH_VLANS, sentByIp, sentByUs } from './sent.ts';

const br0 = { index: 2, name: 'br0' };
const port0 = { index: 6, name: 'port0' };

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'bridge vlan add dev port0 vid 10 pvid untagged master',
    (socket) => addPortVlan(socket, port0, { vid: 10, pvid: true, untagged: true }),
  ],
  [
    'bridge vlan add dev port0 vid 20-30 master',
    (socket) => addPortVlan(socket, port0, { vid: 20, lastVid: 30 }),
  ],
  ['bridge vlan add dev br0 vid 40 self', (socket) => addPortVlan(socket, br0, { vid: 40 }, 'self')],
  ['bridge vlan delete dev port0 vid 1 master', (socket) => removePortVlan(socket, port0, { vid: 1 })],
])('sent as by `%s`', (command, run) => {
  const ours = comparable(sentByUs(run), LINK_WITH_VLANS);
  expect(ours).toEqual(comparable(sentByIp(command), LINK_WITH_VLANS));
});

// As br_fill_ifvlaninfo_compressed of net/bridge/br_netlink.c writes it, by hand from include/uapi/linux/if_bridge.h,
// where BRIDGE_VLAN_INFO_PVID is 2, _UNTAGGED 4, _RANGE_BEGIN 8 and _RANGE_END 16.
const answer = Buffer.from(
  `07000000 06000000 43100100 00000000
   0a000300 706f727430000000
   08000a00 02000000
   2c001a00
     08000200 0600 0a00
     08000200 0800 1400
     08000200 1000 1e00
     08000200 0c00 6400
     08000200 1400 c800`.replaceAll(/\s/g, ''),
  'hex',
);

test('VLANs of a port', () => {
  expect(decodePortVlans(answer)).toEqual([
    { index: 6, vid: 10, lastVid: 10, pvid: true, untagged: true },
    { index: 6, vid: 20, lastVid: 30, pvid: false, untagged: false },
    { index: 6, vid: 100, lastVid: 200, pvid: false, untagged: true },
  ] satisfies PortVlan[]);
});

test('a port without VLANs', () => {
  expect(decodePortVlans(answer.subarray(0, 36))).toEqual([]);
});

test('a range without a beginning, and one that is too short, are refused', () => {
  const vlans = (...infos: string[]): Buffer =>
    Buffer.concat([
      Buffer.alloc(16),
      nested(26, ...infos.map((info) => attribute(2, Buffer.from(info, 'hex')))),
    ]);
  expect(() => decodePortVlans(vlans('10001e00'))).toThrow(MalformedMessageError);
  expect(() => decodePortVlans(vlans('0000'))).toThrow(MalformedMessageError);
  expect(() => decodePortVlans(vlans('08001400', '10001e00', '10001f00'))).toThrow(MalformedMessageError);
});

test('mutated VLANs', () => {
  expectNoCrash([answer], decodePortVlans);
});

test('what is sent is what is read', () => {
  const vlan = fc.record({
    vid: fc.integer({ min: 1, max: 4000 }),
    more: fc.nat(94),
    pvid: fc.boolean(),
    untagged: fc.boolean(),
  });
  fc.assert(
    fc.property(vlan, ({ vid, more, pvid, untagged }) => {
      const lastVid = vid + more;
      const { payload } = sentByUs((socket) => addPortVlan(socket, port0, { vid, lastVid, pvid, untagged }));
      expect(decodePortVlans(payload)).toEqual([{ index: 6, vid, lastVid, pvid, untagged }]);
    }),
  );
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let bridge: Link;
  let port: Link;

  beforeAll(() => {
    node = place();
    bridge = createBridge(node.socket, { name: 'br0', up: true });
    port = createVeth(node.socket, { name: 'veth0', up: true, master: bridge }, { name: 'eth0' });
  });
  afterAll(() => node.close());

  test('added, listed and removed; or refused by a kernel that filters none', () => {
    const ofPort = (): PortVlan[] => listPortVlans(node.socket).filter(({ index }) => index === port.index);
    const native = { index: port.index, vid: 1, lastVid: 1, pvid: true, untagged: true };
    if (ofPort().length === 0) {
      expect(refusal(() => addPortVlan(node.socket, port, { vid: 10, pvid: true }))).toBe(
        'add VLAN 10 to "veth0": Operation not supported (EOPNOTSUPP)',
      );
      expect(refusal(() => addPortVlan(node.socket, bridge, { vid: 20, lastVid: 30 }, 'self'))).toBe(
        'add VLAN 20-30 to "br0": Operation not supported (EOPNOTSUPP)',
      );
      // There is nothing to remove.
      removePortVlan(node.socket, port, { vid: 1 });
      return;
    }
    expect(ofPort()).toEqual([native]);
    addPortVlan(node.socket, port, { vid: 20, lastVid: 30 });
    expect(ofPort()).toEqual([
      native,
      { index: port.index, vid: 20, lastVid: 30, pvid: false, untagged: false },
    ]);
    removePortVlan(node.socket, port, { vid: 1 });
    removePortVlan(node.socket, port, { vid: 20, lastVid: 30 });
    expect(ofPort()).toEqual([]);
  });

  test('refused', () => {
    const gone = { index: 4000, name: 'gone' };
    expect(refusal(() => addPortVlan(node.socket, gone, { vid: 5 }))).toBe(
      'add VLAN 5 to "gone": No such device (ENODEV): unknown ifindex',
    );
    expect(refusal(() => removePortVlan(node.socket, gone, { vid: 5 }))).toStartWith(
      'remove VLAN 5 from "gone": No such device (ENODEV)',
    );
    expect(
      refusalToNobody(
        node.scratch,
        'bridge-vlan.ts',
        `kernel.addPortVlan(socket, { index: ${port.index}, name: 'veth0' }, { vid: 5 })`,
      ),
    ).toBe('NetlinkError: add VLAN 5 to "veth0": Operation not permitted (EPERM)');
  });
});

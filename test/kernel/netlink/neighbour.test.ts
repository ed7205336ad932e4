import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { addAddress } from '../../../src/kernel/netlink/address-change.ts';
import { changeLink } from '../../../src/kernel/netlink/link-change.ts';
import { createVeth } from '../../../src/kernel/netlink/link-create.ts';
import type { LinkId } from '../../../src/kernel/netlink/link-message.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import {
  addNeighbour,
  decodeNeighbour,
  deleteNeighbour,
  flushNeighbours,
  listNeighbours,
  type Neighbour,
  replaceNeighbour,
} from '../../../src/kernel/netlink/neighbour.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { requires } from '../../requirements.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';
import { ip, type Place, place, prefix, refusal, refusalToNobody } from './place.ts';
import { comparable, sentByIp, sentByUs } from './sent.ts';

const captured = capturedPayloads('neighbours', 28);
const veth0 = { index: 4, name: 'veth0' };
const mac = '02:00:00:00:00:09';

test('captured neighbours', () => {
  const neighbours = captured.map(decodeNeighbour);
  expect(neighbours).toContainEqual({
    index: 3,
    family: 4,
    address: '10.22.0.7',
    mac: '02:00:00:00:00:07',
    state: 0x80,
  } satisfies Neighbour);
  expect(neighbours).toContainEqual({
    index: 3,
    family: 6,
    address: 'fd00:22::7',
    state: 0x20,
  } satisfies Neighbour);
});

test('a bridge table is left out', () => {
  const payload = Buffer.from(captured[0]!);
  payload[0] = 7;
  expect(decodeNeighbour(payload)).toBeUndefined();
});

test('a neighbour without an address is refused', () => {
  expect(() => decodeNeighbour(captured[0]!.subarray(0, 12))).toThrow(MalformedMessageError);
});

test('mutated neighbours', () => {
  expectNoCrash(captured, decodeNeighbour);
});

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'ip neighbour add 10.22.0.9 lladdr 02:00:00:00:00:09 dev veth0',
    (socket) => addNeighbour(socket, veth0, { ip: ip('10.22.0.9'), mac }),
  ],
  [
    'ip neighbour replace fd00:22::9 lladdr 02:00:00:00:00:09 dev veth0',
    (socket) => replaceNeighbour(socket, veth0, { ip: ip('fd00:22::9'), mac }),
  ],
])('sent as by `%s`', (command, run) => {
  const ndmsg = { struct: 12 };
  expect(comparable(sentByUs(run), ndmsg)).toEqual(comparable(sentByIp(command), ndmsg));
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let pod: Place;
  let eth0: LinkId;
  let eth1: LinkId;

  beforeAll(() => {
    pod = place();
    eth0 = createVeth(pod.socket, { name: 'eth0', up: true }, { name: 'other0' });
    eth1 = createVeth(pod.socket, { name: 'eth1', up: true }, { name: 'other1' });
    for (const name of ['other0', 'other1']) pod.scratch.ip(`link set ${name} up`);
    changeLink(pod.socket, eth0, { addrGenMode: 1 });
    addAddress(pod.socket, eth0, prefix('10.22.0.5/16'));
  });
  afterAll(() => pod.close());

  const addresses = (link?: LinkId): string[] =>
    listNeighbours(pod.socket, link)
      .filter(({ state }) => state !== 0x40)
      .map(({ address }) => address)
      .sort();

  test('added, replaced, listed by link, and deleted', () => {
    addNeighbour(pod.socket, eth0, { ip: ip('10.22.0.9'), mac });
    replaceNeighbour(pod.socket, eth0, { ip: ip('fd00:22::9'), mac });
    addNeighbour(pod.socket, eth1, { ip: ip('10.22.0.9'), mac });
    expect(addresses(eth0)).toEqual(['10.22.0.9', 'fd00:22::9']);
    expect(addresses(eth1)).toEqual(['10.22.0.9']);
    expect(addresses().length).toBe(3);
    replaceNeighbour(pod.socket, eth0, { ip: ip('10.22.0.9'), mac: '02:00:00:00:00:0a' });
    expect(listNeighbours(pod.socket, eth0)).toContainEqual({
      index: eth0.index,
      family: 4,
      address: '10.22.0.9',
      mac: '02:00:00:00:00:0a',
      state: 0x80,
    });
    for (const text of ['10.22.0.9', 'fd00:22::9']) deleteNeighbour(pod.socket, eth0, ip(text));
    deleteNeighbour(pod.socket, eth1, ip('10.22.0.9'));
    expect(addresses()).toEqual([]);
  });

  test('flushed: what was learnt, of one link', () => {
    pod.scratch.ip(
      'neighbour add 10.22.0.20 lladdr 02:00:00:00:00:14 dev eth0 nud reachable',
      'neighbour add fd00:22::20 lladdr 02:00:00:00:00:14 dev eth0 nud stale',
      'neighbour add 10.22.0.21 lladdr 02:00:00:00:00:15 dev eth0 nud permanent',
      'neighbour add 10.22.0.22 lladdr 02:00:00:00:00:16 dev eth1 nud reachable',
    );
    flushNeighbours(pod.socket, eth0);
    // The kernel may keep an entry without an address for a while.
    const left = listNeighbours(pod.socket)
      .filter(({ mac, state }) => mac !== undefined && state !== 0x40)
      .map(({ address }) => address);
    expect(left.sort()).toEqual(['10.22.0.21', '10.22.0.22']);
  });

  test('refused', () => {
    addNeighbour(pod.socket, eth0, { ip: ip('10.22.0.30'), mac });
    expect(refusal(() => addNeighbour(pod.socket, eth0, { ip: ip('10.22.0.30'), mac }))).toBe(
      'add neighbour 10.22.0.30 of "eth0": File exists (EEXIST)',
    );
    const gone = { index: 4000, name: 'gone' };
    expect(refusal(() => addNeighbour(pod.socket, gone, { ip: ip('10.22.0.30'), mac }))).toBe(
      'add neighbour 10.22.0.30 of "gone": No such device (ENODEV)',
    );
    expect(refusal(() => addNeighbour(pod.socket, eth0, { ip: ip('10.22.0.31'), mac: '02:00' }))).toStartWith(
      'add neighbour 10.22.0.31 of "eth0": Invalid argument (EINVAL)',
    );
    expect(refusal(() => deleteNeighbour(pod.socket, eth0, ip('10.22.0.32')))).toBe(
      'delete neighbour 10.22.0.32 of "eth0": No such file or directory (ENOENT)',
    );
    const code = `kernel.addNeighbour(socket, { index: 1, name: 'lo' }, { ip: new Uint8Array([10, 0, 0, 1]), mac: '${mac}' })`;
    expect(refusalToNobody(pod.scratch, 'neighbour.ts', code)).toBe(
      'NetlinkError: add neighbour 10.0.0.1 of "lo": Operation not permitted (EPERM)',
    );
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { isTentative, listAddresses } from '../../../src/kernel/netlink/address.ts';
import { addAddress } from '../../../src/kernel/netlink/address-change.ts';
import { type BridgePort, getBridgePort } from '../../../src/kernel/netlink/bridge-port.ts';
import { getLink, OPERSTATE_UP } from '../../../src/kernel/netlink/link.ts';
import { changeLink, deleteLink } from '../../../src/kernel/netlink/link-change.ts';
import { createBridge, createVeth } from '../../../src/kernel/netlink/link-create.ts';
import { encodeMessage } from '../../../src/kernel/netlink/message.ts';
import {
  type Announcement,
  decodeAnnouncement,
  NetlinkMonitor,
  openMonitor,
} from '../../../src/kernel/netlink/monitor.ts';
import { PORT_FORWARDING } from '../../../src/kernel/netlink/port-state.ts';
import { addRoute, deleteRoute } from '../../../src/kernel/netlink/route-change.ts';
import { requires } from '../../requirements.ts';
import { capturedDatagrams, capturedMessages } from './captured.ts';
import { expectNoCrash } from './mutation.ts';
import { type Place, place, prefix } from './place.ts';

const captured = capturedMessages('announcements');
const announcements = captured.flatMap((message) => decodeAnnouncement(message) ?? []);

test('captured announcements', () => {
  const ports = announcements.flatMap((a) => (a.kind === 'bridge-port' ? [a.port] : []));
  expect(ports).toEqual([{ index: 4, name: 'veth0', master: 2, state: 0, hairpin: true, isolated: true }]);
  const links = announcements.flatMap((a) => (a.kind === 'link' ? [a] : []));
  expect(links.filter(({ deleted }) => deleted).map(({ link }) => link.name)).toEqual(['veth0']);
  expect(links.find(({ link }) => link.name === 'veth0' && link.master === undefined)).toBeDefined();
  const addresses = announcements.flatMap((a) => (a.kind === 'address' ? [a] : []));
  expect(addresses).toMatchObject([{ deleted: false, address: { index: 2, address: '10.22.0.1' } }]);
  const routes = announcements.flatMap((a) => (a.kind === 'route' ? [a.route.dst] : []));
  expect(routes).toEqual(['10.22.0.1/32', '10.22.0.0/16', '10.22.255.255/32']);
});

test('a message of another kind is none', () => {
  expect(decodeAnnouncement({ ...captured[0]!, type: 28 })).toBeUndefined();
});

test('mutated announcements', () => {
  for (const type of new Set(captured.map((message) => message.type))) {
    const samples = captured.filter((message) => message.type === type);
    expectNoCrash(
      samples.map(({ payload }) => payload),
      (payload) => decodeAnnouncement({ ...samples[0]!, payload }),
    );
  }
});

describe('waiting', () => {
  const datagrams = capturedDatagrams('announcements');
  const never = { operation: 'wait for it', timeoutMs: 30, look: () => undefined, take: () => undefined };
  const monitor = (...replies: (Buffer | 'overrun' | undefined)[]): NetlinkMonitor =>
    new NetlinkMonitor({ portId: 1, send() {}, receive: () => replies.shift(), close() {} });

  test('it may be so already', () => {
    expect(monitor().waitFor({ ...never, look: () => 'so' })).toBe('so');
  });

  test('until it is announced, which may take a while', () => {
    const take = (a: Announcement) => (a.kind === 'address' ? a.address.address : undefined);
    expect(monitor(undefined, ...datagrams).waitFor({ ...never, take })).toBe('10.22.0.1');
  });

  test('after an overrun it looks again', () => {
    const answers = [undefined, 'so'];
    expect(monitor('overrun').waitFor({ ...never, look: () => answers.shift() })).toBe('so');
  });

  test('what is false or 0 was found, too', () => {
    expect(monitor().waitFor<boolean>({ ...never, look: () => false })).toBe(false);
  });

  test('it is given up at the deadline, also when other things are announced all the time', () => {
    const message = 'wait for it: Connection timed out (ETIMEDOUT): not in 30 ms';
    expect(() => monitor().waitFor(never)).toThrow(message);
    const busy = { portId: 1, send() {}, receive: () => datagrams[0], close() {} };
    expect(() => new NetlinkMonitor(busy).waitFor(never)).toThrow(message);
  });

  test('it never waits longer than it has left', () => {
    const waits: number[] = [];
    const receive = (atMostMs = 250): undefined => void waits.push(atMostMs);
    const channel = { portId: 1, send() {}, receive, close() {} };
    expect(() => new NetlinkMonitor(channel).waitFor(never)).toThrow('ETIMEDOUT');
    expect(waits.length).toBeGreaterThan(0);
    expect(waits.every((wait) => wait > 0 && wait <= 30)).toBe(true);
  });

  test('what is malformed ends it, and so does what `take` throws', () => {
    expect(() => monitor(Buffer.from('00')).waitFor(never)).toThrow('message of');
    const take = (): never => {
      throw new Error('it is gone');
    };
    expect(() => monitor(...datagrams).waitFor({ ...never, take })).toThrow('it is gone');
  });

  test('messages that are none are skipped', () => {
    const noop = encodeMessage({ type: 1, flags: 0, sequence: 0, payload: Buffer.alloc(0) });
    const take = ({ kind }: Announcement) => kind;
    expect(monitor(noop, datagrams[0]).waitFor({ ...never, take })).toBe('link');
  });

  test('it is timed as one step', () => {
    const steps: string[] = [];
    const channel = { portId: 1, send() {}, receive: () => undefined, close() {} };
    const timed = new NetlinkMonitor(channel, (name, operation) => {
      steps.push(name);
      return operation();
    });
    timed.waitFor({ ...never, look: () => 1 });
    expect(steps).toEqual(['wait for it']);
  });
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let pod: Place;

  beforeAll(() => {
    node = place();
    pod = place();
  });
  afterAll(() => {
    node.close();
    pod.close();
  });

  test('until a port forwards', () => {
    const bridge = createBridge(node.socket, { name: 'br0', up: true });
    const monitor = openMonitor(['link'], node.namespace);
    const veth = createVeth(
      node.socket,
      { name: 'veth0', up: true, master: bridge },
      { name: 'eth0', namespace: pod.namespace },
    );
    const waitForState = (wanted: number, look: () => BridgePort | undefined): BridgePort =>
      monitor.waitFor({
        operation: `wait for "veth0" to be in state ${wanted}`,
        timeoutMs: 5000,
        look,
        take: (a) =>
          a.kind === 'bridge-port' && a.port.index === veth.index && a.port.state === wanted
            ? a.port
            : undefined,
      });
    const read = (): BridgePort | undefined => getBridgePort(node.socket, 'veth0');
    // The kernel finds out in its own time that there is no carrier.
    waitForState(0, () => (read()?.state === 0 ? read() : undefined));
    changeLink(pod.socket, { index: veth.link!, name: 'eth0' }, { up: true });
    expect(waitForState(PORT_FORWARDING, () => undefined)).toEqual(read()!);
    expect(waitForState(PORT_FORWARDING, read)).toEqual(read()!);
    monitor.waitFor({
      operation: 'wait for "veth0" to be up',
      timeoutMs: 5000,
      look: () => getLink(node.socket, 'veth0')?.operstate === OPERSTATE_UP || undefined,
      take: (a) =>
        (a.kind === 'link' && a.link.name === 'veth0' && a.link.operstate === OPERSTATE_UP) || undefined,
    });
    monitor.close();
  });

  test('until an address is no longer tentative', () => {
    const link = createVeth(pod.socket, { name: 'dad0', up: true }, { name: 'dad1' });
    changeLink(pod.socket, { index: link.link!, name: 'dad1' }, { up: true });
    const monitor = openMonitor(['ipv6-address'], pod.namespace);
    addAddress(pod.socket, link, prefix('fd00:22::5/64'));
    const isOurs = ({ index, address }: { index: number; address: string }): boolean =>
      index === link.index && address === 'fd00:22::5';
    expect(isTentative(listAddresses(pod.socket).find(isOurs)!)).toBe(true);
    const settled = monitor.waitFor({
      operation: 'wait for fd00:22::5',
      timeoutMs: 10_000,
      look: () => listAddresses(pod.socket).find((address) => isOurs(address) && !isTentative(address)),
      take: (a) =>
        a.kind === 'address' && !a.deleted && isOurs(a.address) && !isTentative(a.address)
          ? a.address
          : undefined,
    });
    expect(isTentative(settled)).toBe(false);
    monitor.close();
  }, 20_000);

  test('routes and IPv4 addresses, as they come and go; of no other group', () => {
    const link = createBridge(pod.socket, { name: 'br1', up: true });
    const monitor = openMonitor(['ipv4-address', 'ipv4-route'], pod.namespace);
    addAddress(pod.socket, link, prefix('10.22.0.5/16'));
    addRoute(pod.socket, { dst: prefix('10.30.0.0/16'), link });
    deleteRoute(pod.socket, { dst: prefix('10.30.0.0/16'), link });
    deleteLink(pod.socket, link);
    const heard: string[] = [];
    monitor.waitFor({
      operation: 'wait for 10.22.0.5 to go',
      timeoutMs: 5000,
      look: () => undefined,
      take(a) {
        if (a.kind === 'route' && a.route.dst === '10.30.0.0/16') heard.push(`route ${a.deleted}`);
        else if (a.kind === 'address') heard.push(`${a.address.address} ${a.deleted}`);
        else if (a.kind !== 'route') heard.push(a.kind);
        return (a.kind === 'address' && a.deleted) || undefined;
      },
    });
    expect(heard).toEqual(['10.22.0.5 false', 'route false', 'route true', '10.22.0.5 true']);
    monitor.close();
  });

  test('announcements that do not fit: it looks again', () => {
    const link = createBridge(pod.socket, { name: 'noisy' });
    const monitor = openMonitor(['link'], pod.namespace);
    let looks = 0;
    for (let n = 0; n < 3000; n++) changeLink(pod.socket, link, { mtu: 1280 + (n % 2) });
    monitor.waitFor({
      operation: 'wait for an overrun',
      timeoutMs: 5000,
      look: () => (looks++ > 0 ? true : undefined),
      take: () => undefined,
    });
    expect(looks).toBe(2);
    monitor.close();
  });

  test('opening and closing leaves nothing open', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 20; n++) {
      const monitor = openMonitor(['link', 'ipv6-route'], pod.namespace);
      monitor.close();
      monitor.close();
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

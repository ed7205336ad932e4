import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';

// Who sees whom: the address that the server in the container sees, by where the client is and whom it asked.
describe.if(requires('root', 'ip', 'nft'))('a published TCP port, in both families', () => {
  let published: Published;
  let web: Attached;
  let neighbour: Attached;
  let elsewhere: Attached;
  beforeAll(async () => {
    published = new Published({ hairpinMode: true });
    const { site, network } = published;
    web = await published.attach('web');
    neighbour = await published.attach('neighbour');
    const ipam = site.ipam(['10.60.0.0/16', 'fd00:60::/64'], { routes: network.ipam.routes });
    const other = { ...network, name: 'other', bridge: 'cni1', ipam };
    elsewhere = await published.attach('elsewhere', { network: other });
    await published.publish(web, [mapping(8080, 80)]);
    await published.in(web).serve('tcp', 80);
  });
  afterAll(() => published[Symbol.dispose]());

  test('is reached from outside by the node’s address, and the client keeps its own', async () => {
    const outside = published.in('outside');
    expect(await outside.ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(await outside.ask('fd00:99::1', 8080)).toBe('web sees fd00:99::2');
  });

  test('is reached from the node by each of its own addresses', async () => {
    const node = published.in('node');
    expect(await node.ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.1');
    expect(await node.ask('fd00:99::1', 8080)).toBe('web sees fd00:99::1');
    expect(await node.ask('10.50.0.1', 8080)).toBe('web sees 10.50.0.1');
    expect(await node.ask('fd00:50::1', 8080)).toBe('web sees fd00:50::1');
  });

  test('is reached from the node by 127.0.0.1 and the rest of 127.0.0.0/8, as the bridge', async () => {
    const node = published.in('node');
    expect(await node.ask('127.0.0.1', 8080)).toBe('web sees 10.50.0.1');
    const from = { localAddress: '127.0.0.1' };
    expect(await node.ask('192.0.2.1', 8080, from)).toBe('web sees 10.50.0.1');
    expect(await node.ask('127.1.2.3', 8080)).toBe('web sees 10.50.0.1');
  });

  // The kernel has no route_localnet for IPv6: an answer to ::1 that comes from a container is dropped, masqueraded or
  // not. So nothing is to wait for, and whoever asks `localhost` goes on with 127.0.0.1 at once.
  test('is refused by ::1 (ours)', async () => {
    expect(await published.in('node').refusal('::1', 8080)).toBe('ECONNREFUSED');
  });

  test.each([true, false])(
    'is reached from its own container, as the bridge, with bridge-nf-call %p',
    async (isOn) => {
      published.setBridgeNetfilter(isOn);
      const itself = published.in(web);
      expect(await itself.ask('192.0.2.1', 8080)).toBe('web sees 10.50.0.1');
      expect(await itself.ask('10.50.0.1', 8080)).toBe('web sees 10.50.0.1');
      expect(await itself.ask('fd00:99::1', 8080)).toBe('web sees fd00:50::1');
    },
  );

  // Frames that pass through nftables of IP find their way back without another address.
  test.each([
    [true, '10.50.0.3', 'fd00:50::3'],
    [false, '10.50.0.1', 'fd00:50::1'],
  ])(
    'is reached from another container of the bridge with bridge-nf-call %p (ours)',
    async (isOn, v4, v6) => {
      published.setBridgeNetfilter(isOn);
      const client = published.in(neighbour);
      expect(await client.ask('192.0.2.1', 8080)).toBe(`web sees ${v4}`);
      expect(await client.ask('10.50.0.1', 8080)).toBe(`web sees ${v4}`);
      expect(await client.ask('fd00:99::1', 8080)).toBe(`web sees ${v6}`);
    },
  );

  test('is reached from another bridge, and the client keeps its own', async () => {
    const client = published.in(elsewhere);
    expect(await client.ask('192.0.2.1', 8080)).toBe(`web sees ${elsewhere.v4}`);
    expect(await client.ask('10.50.0.1', 8080)).toBe(`web sees ${elsewhere.v4}`);
    expect(await client.ask('fd00:99::1', 8080)).toBe(`web sees ${elsewhere.v6}`);
  });

  test('does not lead elsewhere: other ports of the node, and what goes through it, are left alone', async () => {
    const outside = published.in('outside');
    expect(await outside.refusal('192.0.2.1', 8081)).toBe('ECONNREFUSED');
    await outside.serve('tcp', 8080);
    expect(await published.in('node').ask('192.0.2.2', 8080)).toBe('outside sees 192.0.2.1');
    expect(await published.in('node').ask(web.v4, 80)).toBe('web sees 10.50.0.1');
  });
});

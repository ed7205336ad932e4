import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';

describe.if(requires('root', 'ip', 'nft'))('hostIP', () => {
  let published: Published;
  let web: Attached;
  beforeAll(async () => {
    published = new Published({ hairpinMode: true });
    const { site } = published;
    // A second address of each family on the node.
    site.onNode('ip', 'addr', 'add', '192.0.2.9/24', 'dev', 'up0');
    site.onNode('ip', 'addr', 'add', 'fd00:99::9/64', 'dev', 'up0', 'nodad');
    web = await published.attach('web');
    await published.in(web).serve('tcp', 80);
    await published.in('node').serve('tcp', 9000, '127.0.0.1');
  });
  afterEach(() => published.withdraw(web, []));
  afterAll(() => published[Symbol.dispose]());

  /** Asks at all of the node's addresses from outside: these lead to the container, and the others nowhere. */
  async function expectLeading(addresses: readonly string[], port = 8080): Promise<void> {
    const outside = published.in('outside');
    const all = ['192.0.2.1', '192.0.2.9', 'fd00:99::1', 'fd00:99::9'];
    const said = await Promise.all(
      all.map((one) => (addresses.includes(one) ? outside.ask(one, port) : outside.refusal(one, port))),
    );
    expect(said).toEqual(
      all.map((one) => {
        if (!addresses.includes(one)) return 'ECONNREFUSED';
        return `web sees ${one.includes(':') ? 'fd00:99::2' : '192.0.2.2'}`;
      }),
    );
  }

  test.each([
    ['192.0.2.1', ['192.0.2.1']],
    ['192.0.2.9', ['192.0.2.9']],
    ['fd00:99::9', ['fd00:99::9']],
    ['0:0::ffff', []],
    ['0.0.0.0', ['192.0.2.1', '192.0.2.9']],
    ['::', ['fd00:99::1', 'fd00:99::9']],
    ['', ['192.0.2.1', '192.0.2.9', 'fd00:99::1', 'fd00:99::9']],
  ])('"%s": the port leads to the container by the addresses %p', async (hostIP, addresses) => {
    await published.publish(web, [mapping(8080, 80, { hostIP })]);
    await expectLeading(addresses);
  });

  test('of the other family is skipped, and the rest of the mappings is made', async () => {
    const { site } = published;
    const ipam = site.ipam(['10.60.0.0/16'], { routes: [{ dst: '0.0.0.0/0' }] });
    const network = { ...published.network, name: 'v4', bridge: 'cni1', ipam };
    const only4 = await published.attach('only4', { network });
    await published.in(only4).serve('tcp', 80);
    await published.publish(only4, [mapping(8080, 80, { hostIP: 'fd00:99::1' }), mapping(8081, 80)]);
    await expectLeading([]);
    expect(await published.in('outside').ask('192.0.2.1', 8081)).toBe('only4 sees 192.0.2.2');
  });

  test('of one port on two addresses leads to two containers', async () => {
    const other = await published.attach('other');
    await published.in(other).serve('tcp', 80);
    await published.publish(web, [mapping(8080, 80, { hostIP: '192.0.2.1' })]);
    await published.publish(other, [mapping(8080, 80, { hostIP: '192.0.2.9' })]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').ask('192.0.2.9', 8080)).toBe('other sees 192.0.2.2');
    await published.withdraw(other, []);
  });

  test('127.0.0.1 is for the node itself, and for nobody else', async () => {
    await published.publish(web, [mapping(8080, 80, { hostIP: '127.0.0.1' })]);
    expect(await published.in('node').ask('127.0.0.1', 8080)).toBe('web sees 10.50.0.1');
    expect(await published.in('node').refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
    await expectLeading([]);
    expect(await published.in(web).refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
  });

  // route_localnet, which 127.0.0.1 needs, lets a neighbour reach the node's loopback, unless something is done.
  test.each([
    ['a host port of 127.0.0.1', { hostIP: '127.0.0.1' }],
    ['a host port of all addresses', {}],
  ])('with %s, whoever sends to 127.0.0.1 through the bridge reaches nothing (ours)', async (_, keys) => {
    const attacker = await published.attach(`attacker${JSON.stringify(keys).length}`);
    // Its loopback is down, as a runtime leaves it, so that 127.0.0.1 is an address like others.
    for (const line of [
      'sysctl -qw net.ipv4.conf.eth0.route_localnet=1',
      'ip route add 127.0.0.1/32 via 10.50.0.1',
    ]) {
      published.site.inPod(attacker.pod, ...line.split(' '));
    }
    const answers = async (): Promise<string[]> =>
      Promise.all(
        [9000, 8080].map((port) =>
          published.in(attacker).refusal('127.0.0.1', port, { localAddress: attacker.v4 }),
        ),
      );
    await published.publish(web, [mapping(8080, 80, keys)]);
    expect(await published.in('node').ask('127.0.0.1', 8080)).toBe('web sees 10.50.0.1');
    expect(await answers()).toEqual(['no answer', 'no answer']);
    // That the way was open but for that.
    published.site.onNode('sh', '-c', 'nft delete chain inet cni_debug hostport_guard || true');
    expect(await answers()).toEqual([
      `answered: node sees ${attacker.v4}`,
      `answered: web sees ${attacker.v4}`,
    ]);
  });
});

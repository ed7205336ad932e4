import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';

describe.if(requires('root', 'ip', 'nft'))('a container that asks for its own published port', () => {
  let published: Published;
  let web: Attached;
  afterEach(() => published[Symbol.dispose]());

  // Without hairpinMode a bridge does not send a frame back by the port it came from; with bridge-nf-call it tries to.
  test.each([
    ['a bridge with hairpinMode and bridge-nf-call', true, true],
    ['a bridge with hairpinMode', true, false],
    ['a bridge with neither', false, false],
  ])('is answered behind %s, in TCP and UDP', async (_, hairpinMode, bridgeNetfilter) => {
    published = new Published({ hairpinMode });
    web = await published.attach('web');
    published.setBridgeNetfilter(bridgeNetfilter);
    await published.publish(web, [mapping(8080, 80), mapping(5353, 53, { protocol: 'udp' })]);
    const itself = published.in(web);
    await itself.serve('tcp', 80);
    await itself.serve('udp', 53);
    for (const [host, as] of [
      ['192.0.2.1', '10.50.0.1'],
      ['fd00:99::1', 'fd00:50::1'],
    ] as const) {
      expect(await itself.ask(host, 8080)).toBe(`web sees ${as}`);
      expect(await itself.ask(host, 5353, { protocol: 'udp' })).toBe(`web sees ${as}`);
    }
  });
});

describe.if(requires('root', 'ip', 'nft'))('snat and masqAll', () => {
  let published: Published;
  let web: Attached;
  beforeEach(async () => {
    published = new Published();
    published.setBridgeNetfilter(false);
    web = await published.attach('web');
    await published.in(web).serve('tcp', 80);
  });
  afterEach(() => published[Symbol.dispose]());
  const routeLocalnet = (): string =>
    published.site.onNode('cat', '/proc/sys/net/ipv4/conf/cni0/route_localnet').trim();

  test('with snat false nothing is masqueraded, and route_localnet is left alone', async () => {
    await published.publish(web, [mapping(8080, 80)], { snat: false });
    expect(routeLocalnet()).toBe('0');
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').ask('fd00:99::1', 8080)).toBe('web sees fd00:99::2');
    expect(await published.in('node').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.1');
    expect(await published.in('node').refusal('127.0.0.1', 8080)).not.toContain('answered');
    expect(await published.in(web).refusal('192.0.2.1', 8080)).not.toContain('answered');
  });

  test('with snat false masqAll does nothing', async () => {
    await published.publish(web, [mapping(8080, 80)], { snat: false, masqAll: true });
    expect(routeLocalnet()).toBe('0');
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
  });

  test('with masqAll all clients come as the bridge', async () => {
    await published.publish(web, [mapping(8080, 80)], { masqAll: true });
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 10.50.0.1');
    expect(await published.in('outside').ask('fd00:99::1', 8080)).toBe('web sees fd00:50::1');
    expect(await published.in('node').ask('127.0.0.1', 8080)).toBe('web sees 10.50.0.1');
    expect(await published.in(web).ask('192.0.2.1', 8080)).toBe('web sees 10.50.0.1');
  });

  test('masqAll is for what came by a host port, not for what goes to the container itself', async () => {
    const neighbour = await published.attach('neighbour');
    await published.publish(web, [mapping(8080, 80)], { masqAll: true });
    published.site.inPod(
      { name: 'outside', netns: published.site.outside },
      ...['ip', 'route', 'add', '10.50.0.0/16', 'via', '192.0.2.1'],
    );
    expect(await published.in('outside').ask(web.v4, 80)).toBe('web sees 192.0.2.2');
    expect(await published.in(neighbour).ask(web.v4, 80)).toBe(`web sees ${neighbour.v4}`);
  });

  test('route_localnet is on for the bridge alone, with a mapping of IPv4', async () => {
    await published.publish(web, [mapping(8080, 80)]);
    expect(routeLocalnet()).toBe('1');
    const all = published.site.onNode('sh', '-c', 'grep -l 1 /proc/sys/net/ipv4/conf/*/route_localnet');
    expect(all.trim().split('\n')).toEqual(['/proc/sys/net/ipv4/conf/cni0/route_localnet']);
  });
});

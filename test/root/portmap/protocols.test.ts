import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';
import { SctpEar, sendInit } from './sctp.ts';

const udp = { protocol: 'udp' } as const;

describe.if(requires('root', 'ip', 'nft', 'ping'))('published ports of several protocols', () => {
  let published: Published;
  let web: Attached;
  let neighbour: Attached;
  beforeAll(async () => {
    published = new Published();
    published.setBridgeNetfilter(false);
    web = await published.attach('web');
    neighbour = await published.attach('neighbour');
    await published.publish(web, [
      mapping(8080, 80),
      mapping(8080, 53, udp),
      mapping(8081, 80),
      mapping(65535, 65535, udp),
      mapping(8080, 132, { protocol: 'sctp' }),
    ]);
    await published.in(web).serve('tcp', 80);
    for (const port of [53, 65535]) await published.in(web).serve('udp', port);
  });
  afterAll(() => published[Symbol.dispose]());

  test('UDP: from outside, the node, 127.0.0.1, the container itself and its neighbour (ours)', async () => {
    const seen = async (place: Parameters<Published['in']>[0], host: string) =>
      published.in(place).ask(host, 8080, udp);
    expect(await seen('outside', '192.0.2.1')).toBe('web sees 192.0.2.2');
    expect(await seen('outside', 'fd00:99::1')).toBe('web sees fd00:99::2');
    expect(await seen('node', '192.0.2.1')).toBe('web sees 192.0.2.1');
    expect(await seen('node', 'fd00:99::1')).toBe('web sees fd00:99::1');
    expect(await seen('node', '127.0.0.1')).toBe('web sees 10.50.0.1');
    expect(await seen(web, '192.0.2.1')).toBe('web sees 10.50.0.1');
    expect(await seen(web, 'fd00:99::1')).toBe('web sees fd00:50::1');
    expect(await seen(neighbour, '192.0.2.1')).toBe('web sees 10.50.0.1');
    expect(await seen(neighbour, 'fd00:99::1')).toBe('web sees fd00:50::1');
  });

  test('the same port of TCP and UDP leads to two ports of the container', async () => {
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').ask('192.0.2.1', 8080, udp)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').refusal('192.0.2.1', 8081, udp)).toBe('no answer');
  });

  test('two host ports may lead to one of the container', async () => {
    expect(await published.in('outside').ask('192.0.2.1', 8081)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').ask('192.0.2.1', 65535, udp)).toBe('web sees 192.0.2.2');
  });

  test('SCTP: the first packet of an association arrives at the container, from where it came', async () => {
    using ear = new SctpEar(web.pod.netns, 'eth0');
    const packet = { from: '192.0.2.2', to: '192.0.2.1', fromPort: 40_000, toPort: 8080 };
    sendInit(published.site.outside, 'up0', packet);
    expect(await ear.hear(20_000)).toEqual({ ...packet, to: web.v4, toPort: 132 });
    sendInit(published.site.outside, 'up0', { ...packet, toPort: 8081 });
    expect(await ear.hear(300)).toBeUndefined();
  });
});

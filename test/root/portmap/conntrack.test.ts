import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';

const from = { protocol: 'udp', localPort: 40_000 } as const;
const mappings = [mapping(5353, 53, { protocol: 'udp' })];

// As long as a connection is known, its packets go where the first one went, whatever the rules say now.
describe.if(requires('root', 'ip', 'nft', 'conntrack'))('a UDP client that keeps its port', () => {
  let published: Published;
  let first: Attached;
  let second: Attached;
  beforeAll(async () => {
    published = new Published();
    first = await published.attach('first');
    second = await published.attach('second');
    for (const one of [first, second]) await published.in(one).serve('udp', 53);
    // From the first ADD on the node knows connections.
    await published.publish(first, [mapping(1, 1)]);
    await published.withdraw(first, []);
    // What nobody listens to is silent.
    const silence = 'icmp type destination-unreachable drop; icmpv6 type destination-unreachable drop;';
    published.site.onNode('nft', 'add table inet silence');
    const chain = `add chain inet silence out { type filter hook output priority 0; ${silence} }`;
    published.site.onNode('nft', chain);
  });
  afterEach(() => published.withdraw(first, []));
  afterAll(() => published[Symbol.dispose]());

  const known = (family: string): string[] =>
    published.site
      .onNode('conntrack', '-L', '-f', family, '-p', 'udp', '--orig-port-dst', '5353')
      .split('\n')
      .filter(Boolean);

  test.each([
    ['192.0.2.1', '192.0.2.2', 'ipv4'],
    ['fd00:99::1', 'fd00:99::2', 'ipv6'],
  ])('and sent to %s before ADD reaches the container after it', async (host, as, family) => {
    const client = published.in('outside');
    expect(await client.refusal(host, 5353, from)).toBe('no answer');
    expect(known(family)).toHaveLength(1);
    await published.publish(first, mappings);
    expect(known(family)).toEqual([]);
    expect(await client.ask(host, 5353, from)).toBe(`first sees ${as}`);
  });

  test('reaches the next container that has the host port, and not the one that had it (ours)', async () => {
    const client = published.in('outside');
    for (const [attached, name] of [
      [first, 'first'],
      [second, 'second'],
      [first, 'first'],
    ] as const) {
      await published.publish(attached, mappings);
      expect(await client.ask('192.0.2.1', 5353, from)).toBe(`${name} sees 192.0.2.2`);
      expect(await client.ask('fd00:99::1', 5353, from)).toBe(`${name} sees fd00:99::2`);
      await published.withdraw(attached, mappings);
      for (const family of ['ipv4', 'ipv6']) expect(known(family)).toEqual([]);
    }
  });

  test('is not led to a container whose DEL had neither runtimeConfig nor prevResult (ours)', async () => {
    const client = published.in('outside');
    await published.publish(first, mappings);
    expect(await client.ask('192.0.2.1', 5353, from)).toBe('first sees 192.0.2.2');
    await published.withdraw(first, [], { runtimeConfig: undefined, prevResult: undefined });
    for (const family of ['ipv4', 'ipv6']) expect(known(family)).toEqual([]);
  });

  test('keeps its connection when ports of others come and go', async () => {
    const client = published.in('outside');
    await published.publish(first, mappings);
    await client.ask('192.0.2.1', 5353, from);
    const [before] = known('ipv4').map((line) => line.replace(/^\S+ +\S+ +\d+ /, ''));
    await published.publish(second, [mapping(5354, 53, { protocol: 'udp' })]);
    await published.withdraw(second, [mapping(5354, 53, { protocol: 'udp' })]);
    expect(known('ipv4').map((line) => line.replace(/^\S+ +\S+ +\d+ /, ''))).toEqual([before ?? '']);
  });
});

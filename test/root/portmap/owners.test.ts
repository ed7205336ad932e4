import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { difference } from '../snapshot.ts';
import { type Attached, type Mapping, mapping, Published } from './published.ts';

const mappings = [mapping(8080, 80), mapping(5353, 53, { protocol: 'udp' })];

// The reference lets the last one have it, and says nothing.
describe.if(requires('root', 'ip', 'nft'))('a host port that another attachment has (ours)', () => {
  let published: Published;
  let owner: Attached;
  let late: Attached;
  beforeAll(async () => {
    published = new Published();
    owner = await published.attach('owner');
    late = await published.attach('late');
    for (const one of [owner, late]) await published.in(one).serve('tcp', 80);
    await published.in(owner).serve('tcp', 81);
  });
  afterEach(async () => {
    for (const one of [owner, late]) await published.withdraw(one, []);
  });
  afterAll(() => published[Symbol.dispose]());

  const refuse = async (attached: Attached, wanted: readonly Mapping[], keys = {}) => {
    const { pod, ifName } = attached;
    const before = published.site.snapshot();
    const error = await published.site.fail('ADD', published.configuration(attached, wanted, keys), {
      pod,
      ifName,
    });
    expect(difference(before, published.site.snapshot())).toEqual([]);
    return error;
  };

  test('is refused to others by the names of its owner, and nothing is changed', async () => {
    await published.publish(owner, mappings);
    const { code, msg } = await refuse(late, [mapping(8090, 80), mapping(8080, 80)]);
    expect(code).toBeGreaterThanOrEqual(100);
    expect(msg).toContain('8080/tcp');
    for (const name of ['"eth0"', 'owner', '"net"']) expect(msg).toContain(name);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('owner sees 192.0.2.2');
    expect(await published.in('outside').refusal('192.0.2.1', 8090)).toBe('ECONNREFUSED');
  });

  test('stays its own when the refused one is deleted, as a runtime does', async () => {
    await published.publish(owner, mappings);
    const before = published.site.snapshot();
    await refuse(late, mappings);
    await published.withdraw(late, mappings);
    expect(difference(before, published.site.snapshot())).toEqual([]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('owner sees 192.0.2.2');
  });

  test('is free after the owner’s DEL', async () => {
    await published.publish(owner, mappings);
    await refuse(late, mappings);
    await published.withdraw(owner, mappings);
    await published.publish(late, mappings);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('late sees 192.0.2.2');
  });

  test('is asked for again by its owner: no error, and nothing changes', async () => {
    const first = await published.publish(owner, mappings);
    const before = published.site.snapshot();
    expect(await published.publish(owner, mappings)).toEqual(first);
    expect(difference(before, published.site.snapshot())).toEqual([]);
    await published.withdraw(owner, mappings);
    expect(published.site.onNode('nft', 'list', 'ruleset')).not.toContain(owner.v4);
  });

  test('is led to another port of the container when its owner asks for that', async () => {
    await published.publish(owner, [mapping(8080, 79)]);
    expect(await published.in('outside').refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
    await published.publish(owner, [mapping(8080, 81)]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('owner sees 192.0.2.2');
  });

  test.each([
    ['of all addresses', '', 'of one', '192.0.2.1'],
    ['of one address', '192.0.2.1', 'of all', ''],
    ['of all addresses of IPv4', '0.0.0.0', 'of one', '192.0.2.1'],
    ['of one address', '192.0.2.1', 'of all of IPv4', '0.0.0.0'],
    ['of all of IPv6', '::', 'of all of both', ''],
    ['of one of IPv6', 'fd00:99::1', 'of all of IPv6', '::'],
    ['of one', '192.0.2.1', 'the same', '192.0.2.1'],
  ])('%s (%p) is refused %s (%p)', async (_, hostIP, __, otherIP) => {
    await published.publish(owner, [mapping(8080, 80, { hostIP })]);
    const { msg } = await refuse(late, [mapping(8080, 80, { hostIP: otherIP })]);
    expect(msg).toContain('owner');
  });

  test.each([
    ['two addresses', { hostIP: '192.0.2.1' }, { hostIP: '10.50.0.1' }],
    ['two families', { hostIP: '0.0.0.0' }, { hostIP: '::' }],
    ['two protocols', {}, { protocol: 'udp' }],
    ['an address and another family', { hostIP: 'fd00:99::1' }, { hostIP: '0.0.0.0' }],
    ['an address and another protocol', { hostIP: '192.0.2.1', protocol: 'udp' }, {}],
  ])('of %s is two', async (_, keys, otherKeys) => {
    await published.publish(owner, [mapping(8080, 80, keys)]);
    await published.publish(late, [mapping(8080, 80, otherKeys)]);
  });

  test('for all addresses and for one, of the same attachment, leads where the one says', async () => {
    await published.publish(owner, [mapping(8080, 79), mapping(8080, 81, { hostIP: '192.0.2.1' })]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('owner sees 192.0.2.2');
    expect(await published.in('node').refusal('10.50.0.1', 8080)).toBe('ECONNREFUSED');
  });

  // Each looks before the other has written: the port of all addresses and that of one are no conflict to the kernel.
  test.each([
    ['all', '', ''],
    ['one address, or for all of its family', '192.0.2.1', '0.0.0.0'],
  ])(
    'for %s, of two who ask at the same time at most one has it, and the other nothing',
    async (_, hostIP, otherIP) => {
      for (let round = 1; round <= 5; round += 1) {
        const answers = await Promise.all(
          [owner, late].map((one, index) => {
            const ip = index === 0 ? hostIP : otherIP;
            const wanted = [mapping(8080, 80, { hostIP: ip }), mapping(8090 + index, 80)];
            return published.site.call('ADD', published.configuration(one, wanted), { pod: one.pod });
          }),
        );
        const rules = published.site.onNode('nft', 'list', 'ruleset');
        const made = [owner, late].map(({ v4 }) => rules.includes(v4));
        expect(made).toEqual(answers.map(({ status }) => status === 0));
        expect(made).not.toEqual([true, true]);
        for (const one of [owner, late]) await published.withdraw(one, mappings);
      }
    },
  );
});

describe.if(requires('root', 'ip', 'nft'))('two attachments of one container', () => {
  test('keep their own ports when the other is deleted (ours)', async () => {
    using published = new Published();
    const { site, network } = published;
    const web = await published.attach('web');
    const ipam = site.ipam(['10.60.0.0/16'], { routes: [] });
    const other = { ...network, name: 'other', bridge: 'cni1', ipam };
    const second = await published.attach(web.pod, { network: other, ifName: 'eth1' });
    await published.in(web).serve('tcp', 80);
    await published.publish(web, [mapping(8080, 80)]);
    await published.publish(second, [mapping(8081, 80)]);
    expect(await published.in('node').ask('10.60.0.1', 8081)).toBe('web sees 10.60.0.1');
    await published.withdraw(web, [mapping(8080, 80)]);
    expect(await published.in('node').ask('10.60.0.1', 8081)).toBe('web sees 10.60.0.1');
    expect(await published.in('node').ask('127.0.0.1', 8081)).toBe('web sees 10.60.0.1');
    expect(await published.in('outside').refusal('192.0.2.1', 8080)).toBe('ECONNREFUSED');
    await published.publish(web, [mapping(8080, 80)]);
    await published.withdraw(second, [mapping(8081, 80)]);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('web sees 192.0.2.2');
    expect(await published.in('outside').refusal('192.0.2.1', 8081)).toBe('ECONNREFUSED');
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { ours, reference } from '../implementations.ts';
import { difference } from '../snapshot.ts';
import { type Attached, mapping, Published } from './published.ts';

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('beside the reference', () => {
  let published: Published;
  let one: Attached;
  let two: Attached;
  beforeEach(async () => {
    published = new Published({ hairpinMode: true });
    [one, two] = [await published.attach('one'), await published.attach('two')];
    for (const each of [one, two]) await published.in(each).serve('tcp', 80);
  });
  afterEach(() => published[Symbol.dispose]());

  const [theirPort, ourPort] = [mapping(8080, 80), mapping(8081, 80)];
  const theirs = { by: reference };

  /** Who answers by a host port, from everywhere. */
  async function expectAt(port: number, name: string | undefined): Promise<void> {
    const [outside, node] = [published.in('outside'), published.in('node')];
    if (name === undefined) {
      expect(await outside.refusal('192.0.2.1', port)).toBe('ECONNREFUSED');
      expect(await outside.refusal('fd00:99::1', port)).toBe('ECONNREFUSED');
      return;
    }
    const client = published.in(name === 'one' ? one : two);
    expect(await outside.ask('192.0.2.1', port)).toBe(`${name} sees 192.0.2.2`);
    expect(await outside.ask('fd00:99::1', port)).toBe(`${name} sees fd00:99::2`);
    expect(await node.ask('127.0.0.1', port)).toBe(`${name} sees 10.50.0.1`);
    expect(await client.ask('192.0.2.1', port)).toBe(`${name} sees 10.50.0.1`);
  }

  test.each(['nftables', 'iptables'])(
    'with backend %s: neither disturbs the other, whoever comes and goes first',
    async (backend) => {
      await published.publish(one, [theirPort], { backend }, theirs);
      await published.publish(two, [ourPort]);
      await expectAt(8080, 'one');
      await expectAt(8081, 'two');
      await published.withdraw(one, [theirPort], { backend }, theirs);
      await expectAt(8080, undefined);
      await expectAt(8081, 'two');
      await published.publish(one, [theirPort], { backend }, theirs);
      await expectAt(8081, 'two');
      await published.withdraw(two, [ourPort]);
      await expectAt(8080, 'one');
      await expectAt(8081, undefined);
      const conf = published.configuration(one, [theirPort], { backend });
      expect(await published.site.call('CHECK', conf, { pod: one.pod, ...theirs })).toMatchObject({
        status: 0,
      });
    },
  );

  test('what it made with nftables our DEL takes away, and leaves its other containers alone', async () => {
    await published.publish(two, [ourPort], { backend: 'nftables' }, theirs);
    const before = published.site.snapshot();
    await published.publish(one, [theirPort], { backend: 'nftables' }, theirs);
    await published.withdraw(one, [theirPort]);
    expect(difference(before, published.site.snapshot())).toEqual([]);
    await expectAt(8080, undefined);
    await expectAt(8081, 'two');
  });

  test('what it made with iptables our DEL reports, with the commands that remove it', async () => {
    await published.publish(two, [ourPort], { backend: 'iptables' }, theirs);
    const before = published.site.snapshot();
    await published.publish(one, [theirPort], { backend: 'iptables' }, theirs);
    const conf = published.configuration(one, [theirPort]);
    const { status, stderr } = await published.site.call('DEL', conf, { pod: one.pod });
    expect(status).toBe(0);
    expect(stderr).toContain('CNI-DN-');
    for (const [, commands = ''] of stderr.matchAll(/to remove it: (.*)$/gm)) {
      published.site.onNode('sh', '-c', `PATH=${ours.path}; ${commands}`);
    }
    expect(difference(before, published.site.snapshot())).toEqual([]);
    await expectAt(8080, undefined);
    await expectAt(8081, 'two');
  });

  test('what we made its DEL leaves alone, and ours takes away', async () => {
    await published.publish(one, [ourPort]);
    await published.withdraw(one, [ourPort], { backend: 'nftables' }, theirs);
    await expectAt(8081, 'one');
    await published.withdraw(one, [ourPort]);
    await expectAt(8081, undefined);
  });
});

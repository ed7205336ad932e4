import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNftables } from '../../../src/kernel/nftables/socket.ts';
import { requires } from '../../requirements.ts';
import { inside } from '../namespace-command.ts';
import { difference } from '../snapshot.ts';
import { type Attached, mapping, Published } from './published.ts';

const containers = 100;
const each = 10;
const atOnce = 10;

/** The host ports of a container, and where they lead. */
const mappingsOf = (index: number) =>
  Array.from({ length: each }, (_, port) => mapping(10_000 + index * each + port, 8000 + port));

describe.if(requires('root', 'ip', 'nft'))('1,000 port mappings on 100 containers', () => {
  test('each is one transaction, leads where it should, is readable for nft, and nothing is left (ours)', async () => {
    using published = new Published();
    const { site } = published;
    await published.warmUp();
    const nftables = inside(site.node, () => openNftables());
    const attached: Attached[] = [];
    await inTurns(containers, async (index) => {
      attached[index] = await published.attach(`c${index}`);
    });

    const before = site.snapshot();
    const start = nftables.generation();
    await inTurns(containers, (index) => published.publish(attached[index]!, mappingsOf(index)));
    expect(nftables.generation() - start).toBe(containers);

    await inTurns(5, async (nth) => {
      const index = nth * 24 + 1;
      const peer = published.in(attached[index]!);
      for (const { containerPort } of mappingsOf(index)) await peer.serve('tcp', containerPort);
      for (const { hostPort } of mappingsOf(index)) {
        expect(await published.in('outside').ask('192.0.2.1', hostPort)).toBe(`c${index} sees 192.0.2.2`);
        expect(await published.in('outside').ask('fd00:99::1', hostPort)).toBe(`c${index} sees fd00:99::2`);
      }
    });

    const text = site.onNode('nft', 'list', 'table', 'inet', 'cni_debug');
    expect(text.match(/tcp \. 1\d{4}/g)).toHaveLength(2 * containers * each);
    const file = join(site.scratch.folder, 'table.nft');
    writeFileSync(file, `flush ruleset\n${text}`);
    site.onNode('nft', '-c', '-f', file);
    const { nftables: listed } = JSON.parse(site.onNode('nft', '-j', 'list', 'table', 'inet', 'cni_debug'));
    expect(listed.length).toBeGreaterThan(10);

    const check = attached[50]!;
    const conf = published.configuration(check, mappingsOf(50));
    expect(await site.call('CHECK', conf, { pod: check.pod })).toMatchObject({ status: 0 });

    await inTurns(containers, (index) => published.withdraw(attached[index]!, mappingsOf(index)));
    expect(difference(before, site.snapshot())).toEqual([]);
    nftables.close();
  }, 300_000);

  test('1,000 of one container are one transaction too (ours)', async () => {
    using published = new Published();
    const before = await published.warmUp();
    const web = await published.attach('web');
    const mappings = Array.from({ length: 1000 }, (_, index) => mapping(20_000 + index, 80));
    const nftables = inside(published.site.node, () => openNftables());
    const start = nftables.generation();
    await published.publish(web, mappings);
    expect(nftables.generation() - start).toBe(1);
    nftables.close();
    await published.in(web).serve('tcp', 80);
    for (const port of [20_000, 20_500, 20_999]) {
      expect(await published.in('outside').ask('192.0.2.1', port)).toBe('web sees 192.0.2.2');
    }
    await published.withdraw(web, []);
    await published.detach(web);
    expect(difference(before, published.site.snapshot())).toEqual([]);
  });
});

/** With all numbers below `count`, several at once. */
async function inTurns(count: number, run: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await run(index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { listChains } from '../../src/kernel/nftables/chain.ts';
import { type Attachment, networkHash } from '../../src/network/attachment.ts';
import {
  missingMasquerade,
  planMasquerade,
  planMasqueradeCollection,
  planMasqueradeRemoval,
} from '../../src/network/masquerade.ts';
import { presentNat } from '../../src/network/present-nat.ts';
import { requires } from '../requirements.ts';
import { cidr, pod, type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

const chainOf = (network: string, subnet: string): string =>
  `masquerade_${createHash('sha256').update(`${network}\0${subnet}`).digest('hex').slice(0, 16)}`;

describe.if(requires('root', 'ip', 'nft'))('masquerade', () => {
  let scratch: ScratchRuleset;
  beforeEach(() => {
    scratch = scratchRuleset();
  });
  afterEach(() => scratch.remove());

  const add = (owner: Attachment, ...addresses: string[]): void =>
    scratch.call((ruleset) => planMasquerade(ruleset, owner, addresses.map(cidr)));
  const remove = (owner: Attachment, ...addresses: string[]): void =>
    scratch.call((ruleset) => planMasqueradeRemoval(ruleset, owner, addresses.map(cidr)));
  const missing = (owner: Attachment, ...addresses: string[]): string[] =>
    scratch.look((ruleset) => missingMasquerade(presentNat(ruleset.nftables), owner, addresses.map(cidr)));
  /** Address, container and chain of each element. */
  const elements = (): string[] =>
    ['masquerade4', 'masquerade6']
      .flatMap((map) => {
        const text = scratch.nft(['list', 'map', 'inet', 'cni_debug', map]);
        return [...text.matchAll(/([0-9a-f.:]+) comment "\S+ (\S+) \S+ (pod\d+)[^"]*" : jump (\S+?)[,\s]/g)];
      })
      .map(([, address, network, container, chain]) => `${address} ${network} ${container} ${chain}`)
      .sort();
  const chains = (): string[] =>
    listChains(scratch.nftables)
      .map(({ chain }) => chain)
      .sort();

  test('is what nft shows', () => {
    add(pod(1), '10.22.0.5/16', 'fd00:22::5/60');
    const four = chainOf('shop', '10.22.0.0/16');
    const six = chainOf('shop', 'fd00:22::/60');
    const text = scratch.text();
    for (const line of [
      'type ipv4_addr : verdict',
      'type ipv6_addr : verdict',
      'type nat hook postrouting priority srcnat; policy accept;\n\t\tip saddr vmap @masquerade4\n\t\tip6 saddr vmap @masquerade6\n',
      `chain ${four} {\n\t\tcomment "${networkHash('shop')} 10.22.0.0/16 of network shop"\n\t\tip daddr 10.22.0.0/16 return\n\t\tip daddr 224.0.0.0/4 return\n\t\tmasquerade\n`,
      `chain ${six} {\n\t\tcomment "${networkHash('shop')} fd00:22::/60 of network shop"\n\t\tip6 daddr fd00:22::/60 return\n\t\tip6 daddr ff00::/8 return\n\t\tmasquerade\n`,
    ]) {
      expect(text).toContain(line);
    }
    expect(elements()).toEqual([`10.22.0.5 shop pod1 ${four}`, `fd00:22::5 shop pod1 ${six}`]);
    expect(missing(pod(1), '10.22.0.5/16', 'fd00:22::5/60')).toEqual([]);
  });

  test('survives a list that is loaded again', () => {
    add(
      pod(1, 'a-network-with-a-name-that-is-longer-than-there-is-room-for-in-a-comment-of-128-bytes'),
      '10.22.0.5/16',
    );
    add({ network: 'shop', containerID: 'x', ifName: 'a"b\\c' }, '10.22.0.6/16', 'fd00:22::6/64');
    const text = scratch.text();
    scratch.nft(['flush', 'ruleset']);
    scratch.nft(['-f', '-'], text);
    expect(scratch.text()).toBe(text);
    remove({ network: 'shop', containerID: 'x', ifName: 'a"b\\c' });
    expect(scratch.text()).not.toContain('10.22.0.6');
  });

  test.each(['0.0.0.0/0', '10.22.0.5/32', '10.22.0.5/23', 'fd00::5/128', '::5/0', 'fd00:22::5/63'])(
    'of subnet %s',
    (address) => {
      add(pod(1), address);
      expect(missing(pod(1), address)).toEqual([]);
      const text = scratch.text();
      scratch.nft(['flush', 'ruleset']);
      scratch.nft(['-f', '-'], text);
      expect(scratch.text()).toBe(text);
      remove(pod(1), address);
      expect(elements()).toEqual([]);
    },
  );

  test('twice is once', () => {
    add(pod(1), '10.22.0.5/16');
    const before = scratch.text();
    add(pod(1), '10.22.0.5/16');
    expect(scratch.text()).toBe(before);
  });

  test('of no address is nothing', () => {
    add(pod(1));
    expect(scratch.text()).toBe('');
  });

  test('of an address that was another one’s is replaced', () => {
    add(pod(1), '10.22.0.5/16');
    add(pod(2), '10.22.0.5/16', '10.22.0.6/16');
    const chain = chainOf('shop', '10.22.0.0/16');
    expect(elements()).toEqual([`10.22.0.5 shop pod2 ${chain}`, `10.22.0.6 shop pod2 ${chain}`]);
    // Of an owner that comes late nothing is left to remove.
    remove(pod(1), '10.22.0.5/16');
    remove(pod(1));
    expect(elements().length).toBe(2);
    expect(missing(pod(1), '10.22.0.5/16')).toEqual([
      expect.stringContaining('element 10.22.0.5 of inet cni_debug masquerade4 belongs to another: '),
    ]);
  });

  test('of an address whose subnet has changed leads to the new one', () => {
    add(pod(1), '10.22.0.5/16');
    add(pod(1), '10.22.0.5/24');
    expect(elements()).toEqual([`10.22.0.5 shop pod1 ${chainOf('shop', '10.22.0.0/24')}`]);
    expect(missing(pod(1), '10.22.0.5/16')).toContain(
      'element 10.22.0.5 of inet cni_debug masquerade4 leads elsewhere than it should',
    );
  });

  test('is removed, and its chain with the last of a subnet', () => {
    add(pod(1), '10.22.0.5/16', 'fd00:22::5/64');
    add(pod(2), '10.22.0.6/16');
    remove(pod(1), '10.22.0.5/16', 'fd00:22::5/64');
    const chain = chainOf('shop', '10.22.0.0/16');
    expect(elements()).toEqual([`10.22.0.6 shop pod2 ${chain}`]);
    expect(chains()).toEqual([chain, 'postrouting']);
    remove(pod(2));
    expect(elements()).toEqual([]);
    expect(chains()).toEqual(['postrouting']);
    remove(pod(2));
    remove(pod(2), '10.22.0.6/16');
  });

  test('is removed where nothing says where it is, or something wrong', () => {
    add(pod(1), '10.22.0.5/16', 'fd00:22::5/64');
    add(pod(2), '10.22.0.6/16');
    remove(pod(1), '10.22.0.6/16');
    expect(elements()).toEqual([`10.22.0.6 shop pod2 ${chainOf('shop', '10.22.0.0/16')}`]);
  });

  test.each<[string, (call: { remove: typeof remove; collect: () => void }) => void]>([
    ['the next DEL', ({ remove: again }) => again(pod(1), '10.22.0.5/16')],
    ['the next DEL, which knows no addresses', ({ remove: again }) => again(pod(1))],
    ['GC', ({ collect }) => collect()],
  ])('a chain that a killed DEL left is removed by %s', (_, finish) => {
    add(pod(1), '10.22.0.5/16');
    add(pod(2, 'other'), '10.22.0.6/16');
    scratch.nft(['flush map inet cni_debug masquerade4']);
    expect(chains().length).toBe(3);
    finish({
      remove,
      collect: () => scratch.call((ruleset) => planMasqueradeCollection(ruleset, 'shop', [])),
    });
    expect(chains()).toEqual([chainOf('other', '10.22.0.0/16'), 'postrouting']);
  });

  test('removal where there is no table changes nothing', () => {
    const before = scratch.nftables.generation();
    remove(pod(1), '10.22.0.5/16');
    expect(scratch.nftables.generation()).toBe(before);
  });

  test('comes back after a firewall took it away', () => {
    add(pod(1), '10.22.0.5/16');
    const chain = chainOf('shop', '10.22.0.0/16');
    for (const [damage, complaint] of [
      [
        'flush chain inet cni_debug postrouting',
        'chain postrouting in inet cni_debug is missing, or has not its rules',
      ],
      [
        'insert rule inet cni_debug postrouting accept',
        'chain postrouting in inet cni_debug is missing, or has not its rules',
      ],
      [
        `flush chain inet cni_debug ${chain}`,
        `chain ${chain} in inet cni_debug is missing, or has not its rules`,
      ],
      ['flush ruleset', 'element 10.22.0.5 of inet cni_debug masquerade4 is missing'],
    ] as const) {
      scratch.nft([damage]);
      expect(missing(pod(1), '10.22.0.5/16')).toContain(complaint);
      add(pod(1), '10.22.0.5/16');
      expect(missing(pod(1), '10.22.0.5/16')).toEqual([]);
    }
  });

  test('is collected of a network’s attachments that are no more, and of no other network', () => {
    add(pod(1), '10.22.0.5/16', 'fd00:22::5/64');
    add(pod(2), '10.22.0.6/16');
    add(pod(3), '10.22.0.7/16');
    add(pod(4, 'other'), '10.22.0.8/16');
    let removed: readonly unknown[] = [];
    scratch.call((ruleset) => {
      removed = planMasqueradeCollection(ruleset, 'shop', [pod(2), pod(4)]);
    });
    expect(elements().map((line) => line.split(' ')[0])).toEqual(['10.22.0.6', '10.22.0.8']);
    expect(removed.length).toBe(3);
    expect(chains()).toEqual(
      [chainOf('other', '10.22.0.0/16'), chainOf('shop', '10.22.0.0/16'), 'postrouting'].sort(),
    );
    scratch.call((ruleset) => {
      removed = planMasqueradeCollection(ruleset, 'shop', []);
    });
    expect(elements()).toEqual([`10.22.0.8 other pod4 ${chainOf('other', '10.22.0.0/16')}`]);
    expect(removed.length).toBe(1);
  });

  test('elements that somebody else put into our map stay', () => {
    add(pod(1), '10.22.0.5/16');
    scratch.nft(['add element inet cni_debug masquerade4 { 10.22.0.9 comment "by hand" : accept }']);
    scratch.nft(['add element inet cni_debug masquerade4 { 10.22.0.10 : accept }']);
    scratch.call((ruleset) => planMasqueradeCollection(ruleset, 'shop', []));
    remove(pod(1));
    const text = scratch.text();
    expect(text).toContain('10.22.0.9 comment "by hand" : accept');
    expect(text).toContain('10.22.0.10 : accept');
  });

  test('of 50 processes at once, which add, add again, remove and add', async () => {
    const code = `
      const { Ruleset } = await import('${import.meta.dir}/../../src/network/ruleset.ts');
      const { planMasquerade, planMasqueradeRemoval } = await import('${import.meta.dir}/../../src/network/masquerade.ts');
      const number = Number(process.argv[1]);
      const owner = { network: 'shop', containerID: 'pod' + number, ifName: 'eth0' };
      const addresses = [{ ip: Uint8Array.of(10, 22, 1, number), prefixLength: 16 }];
      const ruleset = new Ruleset();
      const add = () => { planMasquerade(ruleset, owner, addresses); ruleset.commit(); };
      const remove = () => { planMasqueradeRemoval(ruleset, owner, addresses); ruleset.commit(); };
      for (const step of [add, add, remove, add, add, remove]) step();
      if (number % 2 === 0) add();`;
    const run = (number: number): Promise<string> =>
      new Promise((resolve) => {
        const argv = ['netns', 'exec', scratch.name, process.execPath, '-e', code, `${number}`];
        const child = spawn('ip', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
        let errors = '';
        child.stderr.on('data', (text) => (errors += text));
        child.once('close', (status) => resolve(status === 0 ? errors : `${status}: ${errors}`));
      });
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, number) => run(number)));
    expect(outcomes.filter((outcome) => outcome !== '')).toEqual([]);
    expect(elements().length).toBe(25);
    expect(chains()).toEqual([chainOf('shop', '10.22.0.0/16'), 'postrouting']);
    expect(missing(pod(0), '10.22.9.9/16').length).toBe(1);
  }, 180_000);
});

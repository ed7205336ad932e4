import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { Batch } from '../../../src/kernel/nftables/batch.ts';
import { addChain, deleteChain } from '../../../src/kernel/nftables/chain.ts';
import { addElements, deleteElements, listElements } from '../../../src/kernel/nftables/element.ts';
import { addRule } from '../../../src/kernel/nftables/rule.ts';
import { addSet } from '../../../src/kernel/nftables/set.ts';
import { openNftables } from '../../../src/kernel/nftables/socket.ts';
import { addTable, listTables } from '../../../src/kernel/nftables/table.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNftables, scratchNftables } from './scratch.ts';
import {
  BRIDGE,
  hostport4,
  INET,
  ip,
  masquerade4,
  masquerade6,
  postrouting,
  subnet,
  writeShop,
} from './shop.ts';

describe.if(requires('root', 'ip', 'nft'))('nftables of a namespace', () => {
  let scratch: ScratchNftables;
  beforeEach(() => {
    scratch = scratchNftables();
  });
  afterEach(() => scratch.remove());

  const commit = (write: (batch: Batch) => void, options = {}): void => {
    const batch = new Batch();
    write(batch);
    scratch.nftables.commit(batch, options);
  };
  const failure = (run: () => void): NetlinkError => {
    try {
      run();
    } catch (error) {
      if (error instanceof NetlinkError) return error;
      throw error;
    }
    throw new Error('nothing failed');
  };
  const address = (number: number): Uint8Array => ip(10, number >> 16, number >> 8, number);
  const many = (count: number, comment: string) =>
    Array.from({ length: count }, (_, number) => ({
      key: [address(number)],
      comment,
      data: { kind: 'accept' } as const,
    }));

  test('an empty batch asks the kernel nothing', () => {
    const { nftables } = scratch;
    nftables.close();
    expect(() => nftables.commit(new Batch())).not.toThrow();
  });

  test('the generation counts what was changed, and guards a batch', () => {
    const { nftables } = scratch;
    const before = nftables.generation();
    commit((batch) => addTable(batch, INET), { generation: before });
    expect(nftables.generation()).not.toBe(before);
    const error = failure(() => commit((batch) => addTable(batch, BRIDGE), { generation: before }));
    expect(error).toMatchObject({ code: 'ERESTART' });
    expect(error.message).toStartWith('add table bridge shop: Interrupted system call should be restarted');
    expect(listTables(nftables)).toMatchObject([INET]);
    commit((batch) => addTable(batch, BRIDGE), { generation: nftables.generation() });
  });

  test('an error names the message that failed, and nothing of the batch is done', () => {
    const error = failure(() =>
      commit((batch) => {
        addTable(batch, INET);
        addChain(batch, { family: 'ip', table: 'missing', chain: 'x' });
        addChain(batch, subnet);
      }),
    );
    expect(error.message).toBe('add chain x in ip missing: No such file or directory (ENOENT)');
    expect(listTables(scratch.nftables)).toEqual([]);
  });

  test('of a list, the element that failed is named', () => {
    commit(writeShop);
    const list = many(20, 'x').slice(10);
    commit((batch) => addElements(batch, masquerade4, [list[6]!]));
    expect(failure(() => commit((batch) => addElements(batch, masquerade4, list))).message).toBe(
      'add element 10.0.0.16 to map inet shop masquerade4: File exists (EEXIST)',
    );
    const keys = [list[6]!.key, list[7]!.key];
    expect(failure(() => commit((batch) => deleteElements(batch, masquerade4, keys))).message).toBe(
      'delete element 10.0.0.17 from map inet shop masquerade4: No such file or directory (ENOENT)',
    );
  });

  test('what the last check of all finds is an error of the whole', () => {
    // A loop: the kernel looks for these when a batch is complete.
    const one = { ...INET, chain: 'one' };
    const other = { ...INET, chain: 'other' };
    const jump = (chain: string) => [{ name: 'immediate', verdict: { kind: 'jump', chain } } as const];
    const error = failure(() =>
      commit((batch) => {
        addTable(batch, INET);
        addChain(batch, postrouting, { base: { type: 'nat', hook: 'postrouting', priority: 100 } });
        addChain(batch, one);
        addChain(batch, other);
        addRule(batch, postrouting, jump('one'));
        addRule(batch, one, jump('other'));
        addRule(batch, other, jump('one'));
      }),
    );
    expect(['ELOOP', 'EMLINK']).toContain(error.code);
    expect(listTables(scratch.nftables)).toEqual([]);
    // The socket is as good as before.
    commit((batch) => addTable(batch, INET));
    expect(listTables(scratch.nftables)).toMatchObject([INET]);
  });

  test('a list that is too long for an attribute becomes several messages', () => {
    const batch = new Batch();
    addElements(batch, masquerade4, many(1000, 'x'.repeat(128)));
    expect(batch.messages.length).toBeGreaterThan(1);
    for (const { attributes } of batch.messages)
      expect(Buffer.concat(attributes).length).toBeLessThan(65_536);
  });

  test('20000 elements in one batch, several datagrams of an answer', () => {
    commit(writeShop);
    const list = many(20_000, 'y'.repeat(128));
    commit((batch) => addElements(batch, masquerade4, list));
    const found = listElements(scratch.nftables, masquerade4);
    expect(found.length).toBe(20_002);
    expect(new Set(found.map(({ key }) => Buffer.from(key[0]!).toString('hex'))).size).toBe(20_002);
    const keys = list.map(({ key }) => key);
    commit((batch) => deleteElements(batch, masquerade4, keys));
    expect(listElements(scratch.nftables, masquerade4).length).toBe(2);
  });

  test('more errors than there is room for: the first is the one', () => {
    commit(writeShop);
    const error = failure(() =>
      commit((batch) => {
        for (let number = 0; number < 5000; number++)
          deleteChain(batch, { ...INET, chain: `missing${number}` });
      }),
    );
    expect(error.message).toBe('delete chain missing0 in inet shop: No such file or directory (ENOENT)');
    commit((batch) => addElements(batch, masquerade6, [{ key: [new Uint8Array(16)] }]));
    expect(listElements(scratch.nftables, masquerade6).length).toBe(2);
  });

  test('a set of other types is EEXIST', () => {
    commit(writeShop);
    const other = { ...hostport4, key: ['ipv4_addr'] as const };
    expect(failure(() => commit((batch) => addSet(batch, other))).message).toStartWith(
      'add map inet shop hostport4: File exists (EEXIST)',
    );
  });

  test('each operation is a step', () => {
    const steps: string[] = [];
    const namespace = openNamespace(scratch.path);
    const nftables = openNftables(namespace, (name, run) => {
      steps.push(name);
      return run();
    });
    namespace.close();
    const batch = new Batch();
    addTable(batch, INET);
    nftables.commit(batch);
    addChain(batch, subnet);
    nftables.commit(batch);
    nftables.generation();
    listTables(nftables);
    nftables.close();
    expect(steps).toEqual([
      'add table inet shop',
      'commit 2 changes of nftables',
      'get the generation of nftables',
      'list tables',
    ]);
  });

  test('opening and closing leaves nothing open', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 50; count++) {
      const nftables = openNftables();
      nftables.close();
      nftables.close();
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('one who may not is told so', () => {
    const source = `${import.meta.dir}/../../../src/kernel/nftables`;
    const code = `
      const { openNftables } = await import('${source}/socket.ts');
      const { Batch } = await import('${source}/batch.ts');
      const { addTable } = await import('${source}/table.ts');
      process.setuid(65534);
      const batch = new Batch();
      addTable(batch, { family: 'inet', table: 'x' });
      try { openNftables().commit(batch); } catch (error) { console.log(String(error)); }`;
    const argv = ['netns', 'exec', scratch.name, process.execPath, '-e', code];
    const { stdout, stderr } = spawnSync('ip', argv, { encoding: 'utf8' });
    expect(stdout + stderr).toBe('NetlinkError: add table inet x: Operation not permitted (EPERM)\n');
  });
});

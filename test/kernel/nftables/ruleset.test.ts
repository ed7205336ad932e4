import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Batch } from '../../../src/kernel/nftables/batch.ts';
import { addChain, deleteChain, findChain, listChains } from '../../../src/kernel/nftables/chain.ts';
import {
  addElements,
  deleteElements,
  findElement,
  flushSet,
  listElements,
} from '../../../src/kernel/nftables/element.ts';
import { deleteRule, flushChain, listRules } from '../../../src/kernel/nftables/rule.ts';
import { addSet, deleteSet, listSets } from '../../../src/kernel/nftables/set.ts';
import { addTable, deleteTable, findTable, listTables } from '../../../src/kernel/nftables/table.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNftables, scratchNftables } from './scratch.ts';
import {
  BRIDGE,
  elements,
  hostport4,
  INET,
  ip,
  masquerade4,
  masquerade6,
  plain,
  ports,
  postrouting,
  rules,
  subnet,
  writeShop,
} from './shop.ts';

describe.if(requires('root', 'ip', 'nft'))('a whole ruleset', () => {
  let scratch: ScratchNftables;
  beforeEach(() => {
    scratch = scratchNftables();
  });
  afterEach(() => scratch.remove());

  const commit = (write: (batch: Batch) => void): void => {
    const batch = new Batch();
    write(batch);
    scratch.nftables.commit(batch);
  };
  /** Sorted: maps list their elements in no order. */
  const sorted = (entries: unknown[]): string[] => entries.map((entry) => JSON.stringify(entry)).sort();

  test('is for nft what its own file makes', () => {
    commit(writeShop);
    const ours = scratch.ruleset();
    const text = scratch.text();
    scratch.nft(['flush', 'ruleset']);
    scratch.nft(['-f', '-'], readFileSync(`${import.meta.dir}/ruleset.nft`, 'utf8'));
    expect(sorted(ours)).toEqual(sorted(scratch.ruleset()));
    expect(text).toContain('type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service');
    expect(text).toContain('"veth0" . 02:00:00:00:00:05 comment "a pair"');
  });

  test('may be listed and loaded again by nft', () => {
    commit(writeShop);
    const text = scratch.text();
    scratch.nft(['flush', 'ruleset']);
    expect(listTables(scratch.nftables)).toEqual([]);
    scratch.nft(['-f', '-'], text);
    expect(scratch.text()).toBe(text);
    expect(plain(listElements(scratch.nftables, hostport4))).toEqual(plain(elements[2]![1]));
  });

  test('may be written twice, but for its elements', () => {
    commit(writeShop);
    const before = scratch.text();
    commit((batch) => {
      addTable(batch, INET, 'of a test');
      addSet(batch, masquerade4, { comment: 'by source' });
      addSet(batch, hostport4);
      addChain(batch, postrouting, { base: { type: 'nat', hook: 'postrouting', priority: 100 } });
    });
    expect(scratch.text()).toBe(before);
    expect(() => commit(writeShop)).toThrow('File exists (EEXIST)');
    expect(scratch.text()).toBe(before);
  });

  test('is listed as it was written', () => {
    commit(writeShop);
    const { nftables } = scratch;
    expect(listTables(nftables)).toMatchObject([{ ...INET, comment: 'of a test' }, BRIDGE]);
    expect(findTable(nftables, INET)).toMatchObject({ comment: 'of a test' });
    expect(findTable(nftables, { family: 'ip', table: 'shop' })).toBeUndefined();
    expect(listChains(nftables).map(({ chain }) => chain)).toEqual([
      'subnet',
      'postrouting',
      'prerouting',
      'guard',
      'prerouting',
    ]);
    expect(listSets(nftables).length).toBe(7);
    expect(listRules(nftables, subnet).map(({ expressions }) => plain(expressions))).toEqual(
      rules.slice(0, 4).map(([, expressions]) => plain(expressions)),
    );
    expect(listRules(nftables, subnet).at(-1)).toMatchObject({ comment: 'the rest' });
    expect(listElements(nftables, masquerade4).length).toBe(2);
    expect(plain(findElement(nftables, masquerade4, [ip(10, 22, 0, 5)]))).toEqual(plain(elements[0]![1][0]));
    expect(findElement(nftables, masquerade4, [ip(10, 22, 0, 7)])).toBeUndefined();
  });

  test('what is not there is listed as nothing', () => {
    const { nftables } = scratch;
    expect(listRules(nftables, subnet)).toEqual([]);
    expect(listElements(nftables, masquerade4)).toEqual([]);
    expect(findElement(nftables, masquerade4, [ip(1, 2, 3, 4)])).toBeUndefined();
    expect(findChain(nftables, subnet)).toBeUndefined();
  });

  test('each thing is deleted', () => {
    commit(writeShop);
    const { nftables } = scratch;
    commit((batch) => deleteElements(batch, masquerade4, [[ip(10, 22, 0, 6)]]));
    expect(listElements(nftables, masquerade4).length).toBe(1);
    commit((batch) => flushSet(batch, masquerade4));
    expect(listElements(nftables, masquerade4)).toEqual([]);

    commit((batch) => deleteRule(batch, listRules(nftables, postrouting)[0]!));
    expect(listRules(nftables, postrouting).length).toBe(2);
    commit((batch) => flushChain(batch, postrouting));
    expect(listRules(nftables, postrouting)).toEqual([]);

    commit((batch) => deleteSet(batch, masquerade6));
    expect(listSets(nftables).map(({ set }) => set)).not.toContain('masquerade6');
    expect(findChain(nftables, subnet)?.use).toBe(4);
    commit((batch) => deleteChain(batch, subnet));
    expect(findChain(nftables, subnet)).toBeUndefined();
    commit((batch) => deleteTable(batch, BRIDGE));
    expect(listTables(nftables)).toMatchObject([INET]);
  });

  test('what is in use is EBUSY, and all of its batch with it', () => {
    commit(writeShop);
    const before = scratch.text();
    const attempt = (write: (batch: Batch) => void): void =>
      commit((batch) => {
        deleteElements(batch, masquerade4, [[ip(10, 22, 0, 6)]]);
        write(batch);
      });
    expect(() => attempt((batch) => deleteChain(batch, subnet))).toThrow(
      'delete chain subnet in inet shop: Device or resource busy (EBUSY)',
    );
    expect(() => attempt((batch) => deleteSet(batch, ports))).toThrow(
      'delete set bridge shop ports: Device or resource busy (EBUSY)',
    );
    expect(scratch.text()).toBe(before);
  });

  test('an element is replaced within a batch', () => {
    commit(writeShop);
    const key = [ip(10, 22, 0, 5)];
    commit((batch) => {
      deleteElements(batch, masquerade4, [key]);
      addElements(batch, masquerade4, [{ key, comment: 'new', data: { kind: 'drop' } }]);
    });
    expect(findElement(scratch.nftables, masquerade4, key)).toMatchObject({
      comment: 'new',
      data: { kind: 'drop' },
    });
  });

  test('an element that is there keeps its comment, unless it is exclusive', () => {
    commit(writeShop);
    const element = { ...elements[0]![1][0]!, comment: 'another' };
    commit((batch) => addElements(batch, masquerade4, [element], { exclusive: false }));
    expect(findElement(scratch.nftables, masquerade4, element.key)?.comment).toBe("a shop's");
    expect(() => commit((batch) => addElements(batch, masquerade4, [element]))).toThrow(
      'add element 10.22.0.5 to map inet shop masquerade4: File exists (EEXIST)',
    );
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { decodeChain } from '../../../src/kernel/nftables/chain.ts';
import { elementTexts, setOfElements } from '../../../src/kernel/nftables/element-text.ts';
import { type NftablesMonitor, openNftablesMonitor } from '../../../src/kernel/nftables/monitor.ts';
import { decodeRule } from '../../../src/kernel/nftables/rule.ts';
import { ruleText } from '../../../src/kernel/nftables/rule-text.ts';
import { decodeSet, listSets } from '../../../src/kernel/nftables/set.ts';
import { decodeTable } from '../../../src/kernel/nftables/table.ts';
import { requires } from '../../requirements.ts';
import { capturedPayloads } from '../netlink/captured.ts';
import { expectNoCrash } from '../netlink/mutation.ts';
import { type ScratchNftables, scratchNftables } from './scratch.ts';

describe.if(requires('root', 'ip', 'nft'))('what is announced', () => {
  let scratch: ScratchNftables;
  let monitor: NftablesMonitor;
  beforeEach(() => {
    scratch = scratchNftables();
    const namespace = openNamespace(scratch.path);
    monitor = openNftablesMonitor(namespace);
    namespace.close();
  });
  afterEach(() => {
    monitor.close();
    scratch.remove();
  });

  const words = (): string[] => {
    const { changes, isWhole } = monitor.read();
    expect(isWhole).toBe(true);
    return changes.map(({ kind, deleted, payload, process }) => {
      expect(process?.name).toBe('nft');
      return `${deleted ? '-' : '+'} ${kind} ${nameOf(kind, payload)}`;
    });
  };
  const nameOf = (kind: string, payload: Buffer): string => {
    if (kind === 'table') return decodeTable(payload).table;
    if (kind === 'chain') return decodeChain(payload).chain;
    if (kind === 'set') return decodeSet(payload).set;
    if (kind === 'rule') return ruleText(decodeRule(payload).expressions);
    const { set } = setOfElements(payload);
    return elementTexts(
      listSets(scratch.nftables).find((one) => one.set === set),
      payload,
    )
      .map(({ key, data, comment }) => `${key} : ${data} ${comment}`)
      .join(', ');
  };

  test('is nothing when nothing was changed', () => {
    expect(words()).toEqual([]);
  });

  test('is each object, and what is deleted with all that was in it', () => {
    scratch.nft(
      ['-f', '-'],
      'table ip t {\nmap m { type ipv4_addr : verdict; }\nchain c {\ntcp dport 80 accept\n}\n}\n',
    );
    expect(words().sort()).toEqual(['+ chain c', '+ rule tcp dport 80 accept', '+ set m', '+ table t']);
    scratch.nft(['add element ip t m { 10.0.0.1 comment "one" : jump c }']);
    expect(words()).toEqual(['+ elements 10.0.0.1 : jump c one']);
    scratch.nft(['delete element ip t m { 10.0.0.1 }']);
    expect(words()).toEqual(['- elements 10.0.0.1 : jump c one']);
    scratch.nft(['delete table ip t']);
    expect(words().sort()).toEqual(['- chain c', '- rule tcp dport 80 accept', '- set m', '- table t']);
  });

  test('says so when more was changed than there is room for, and goes on', () => {
    monitor.close();
    const namespace = openNamespace(scratch.path);
    monitor = openNftablesMonitor(namespace, 16_384);
    namespace.close();
    const rules = Array.from({ length: 1000 }, (_, index) => `tcp dport ${index + 1} accept`);
    scratch.nft(['-f', '-'], `table ip t {\nchain c {\n${rules.join('\n')}\n}\n}\n`);
    const { isWhole, changes } = monitor.read();
    expect(isWhole).toBe(false);
    expect(changes.length).toBeLessThan(1000);
    scratch.nft(['add table ip u']);
    expect(words()).toEqual(['+ table u']);
  });

  test('elements of types and ranges that others have', () => {
    scratch.nft(
      ['-f', '-'],
      'table ip t {\nset r { type ipv4_addr; flags interval; }\nset c { type ipv4_addr . inet_service; flags interval; }\nset i { type icmp_type; }\n}\n',
    );
    words();
    scratch.nft(['add element ip t r { 10.0.0.0/24 }']);
    scratch.nft(['add element ip t c { 10.0.0.0/24 . 80-90 }']);
    scratch.nft(['add element ip t i { echo-request }']);
    const texts = words().map((line) => line.replace(' : undefined undefined', ''));
    // Where a range ends is an element of its own, which says nothing by itself.
    expect(texts.filter((text) => text !== '+ elements ')).toEqual([
      '+ elements 10.0.0.0',
      '+ elements 10.0.0.0 . 80 - 10.0.0.255 . 90',
      '+ elements 0x08',
    ]);
  });
});

test('mutated elements', () => {
  expectNoCrash(capturedPayloads('../nftables/hostport4', 0xa0c), (payload) => {
    setOfElements(payload);
    elementTexts(undefined, payload);
  });
});

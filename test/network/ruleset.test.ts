import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { CniError } from '../../src/cni/error.ts';
import { EEXIST, ERESTART } from '../../src/kernel/errno.ts';
import { NetlinkError } from '../../src/kernel/netlink/netlink-error.ts';
import { Batch } from '../../src/kernel/nftables/batch.ts';
import { addTable, listTables } from '../../src/kernel/nftables/table.ts';
import { planMasquerade } from '../../src/network/masquerade.ts';
import type { Plan } from '../../src/network/ruleset.ts';
import { requires } from '../requirements.ts';
import { cidr, pod, type ScratchRuleset, scratchRuleset } from './network-scratch.ts';

describe.if(requires('root', 'ip', 'nft'))('a ruleset', () => {
  let scratch: ScratchRuleset;
  beforeEach(() => {
    scratch = scratchRuleset();
  });
  afterEach(() => scratch.remove());

  const table = (name: string): Plan => ({
    write: (batch) => addTable(batch, { family: 'inet', table: name }),
  });
  const tables = (): string[] => listTables(scratch.nftables).map((found) => found.table);
  const steps: string[] = [];
  const recorded = {
    step<T>(name: string, run: () => T): T {
      steps.push(name);
      return run();
    },
  };

  test('is one transaction', () => {
    steps.length = 0;
    const ruleset = scratch.open(recorded);
    for (const name of ['one', 'two', 'three']) ruleset.plan(table(name));
    expect(tables()).toEqual([]);
    const before = scratch.nftables.generation();
    ruleset.commit();
    expect(tables()).toEqual(['one', 'two', 'three']);
    expect(scratch.nftables.generation()).toBe(before + 1);
    expect(steps).toEqual(['commit 3 changes of nftables']);
  });

  test('without plans asks the kernel nothing', () => {
    steps.length = 0;
    const ruleset = scratch.open(recorded);
    ruleset.commit();
    ruleset.conclude();
    expect(steps).toEqual([]);
  });

  test('is concluded by a plugin alone, and committed by who deferred it', () => {
    const alone = scratch.open();
    alone.plan(table('alone'));
    alone.conclude();
    expect(tables()).toEqual(['alone']);
    const deferred = scratch.open({ deferred: true });
    deferred.plan(table('one'));
    deferred.conclude();
    deferred.plan(table('two'));
    deferred.conclude();
    expect(tables()).toEqual(['alone']);
    deferred.commit();
    expect(tables()).toEqual(['alone', 'one', 'two']);
  });

  test('is nothing when a part of it fails, and planned no more', () => {
    const ruleset = scratch.open();
    ruleset.plan(table('one'));
    ruleset.plan(table('x'.repeat(300)));
    expect(() => ruleset.commit()).toThrow(NetlinkError);
    expect(tables()).toEqual([]);
    ruleset.commit();
    expect(tables()).toEqual([]);
  });

  test.each<[string, Plan['write']]>([
    [
      'when something is there that was not expected',
      (_, { isGuarded }) => {
        if (!isGuarded) throw new NetlinkError('add something', EEXIST);
      },
    ],
    ['when a plan demands it', (_, look) => look.guard()],
  ])('looks without a guard first, and with one %s', (_, demand) => {
    const looks: boolean[] = [];
    const ruleset = scratch.open();
    ruleset.plan(table('before'));
    ruleset.plan({
      write(batch, look) {
        looks.push(look.isGuarded);
        demand(batch, look);
        addTable(batch, { family: 'inet', table: 'one' });
      },
    });
    ruleset.commit();
    expect(looks).toEqual([false, true]);
    expect(tables()).toEqual(['before', 'one']);
  });

  test('looks again when another one was faster', () => {
    let looks = 0;
    const ruleset = scratch.open();
    ruleset.plan({
      careful: true,
      write(batch, look) {
        expect(look.isGuarded).toBe(true);
        looks += 1;
        if (looks < 4) {
          const other = new Batch();
          addTable(other, { family: 'inet', table: `other${looks}` });
          scratch.nftables.commit(other);
        }
        addTable(batch, { family: 'inet', table: `after${tables().length}` });
      },
    });
    ruleset.commit();
    expect(looks).toBe(4);
    expect(tables()).toEqual(['other1', 'other2', 'other3', 'after3']);
  });

  test('gives up when others are always faster, with code 11', () => {
    const ruleset = scratch.open({ timeoutMs: 100 });
    ruleset.plan({
      careful: true,
      write() {
        throw new NetlinkError('commit 2 changes of nftables', ERESTART);
      },
    });
    try {
      ruleset.commit();
      throw new Error('it did not');
    } catch (error) {
      expect(error).toBeInstanceOf(CniError);
      expect(error).toMatchObject({ code: 11 });
      expect((error as Error).message).toMatch(
        /^nftables: other programs changed the ruleset during each of \d+ attempts in 0\.1 s$/,
      );
    }
  });

  test('does what comes after its changes when they were made, and only then', () => {
    const events: string[] = [];
    const plan = (name: string): Plan => ({
      ...table(name),
      after: () => void events.push(`after ${name.slice(0, 3)}: ${tables()}`),
    });
    const ruleset = scratch.open();
    ruleset.plan(plan('one'));
    ruleset.plan(plan('two'));
    ruleset.commit();
    expect(events).toEqual(['after one: one,two', 'after two: one,two']);
    ruleset.plan(plan('x'.repeat(300)));
    expect(() => ruleset.commit()).toThrow();
    expect(events.length).toBe(2);
  });

  test('of a table that another process holds is an error that names the process', async () => {
    const holder = spawn('ip', ['netns', 'exec', scratch.name, 'nft', '-i'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    try {
      holder.stdin.write('add table inet cni_debug { flags owner; }\n');
      for (let waited = 0; tables().length === 0; waited += 20) {
        if (waited > 20_000) throw new Error('nft did not make the table');
        await Bun.sleep(20);
      }
      const ruleset = scratch.open();
      planMasquerade(ruleset, pod(1), [cidr('10.22.0.5/16')]);
      expect(() => ruleset.commit()).toThrow(
        `nftables: table inet cni_debug is held by process ${holder.pid} ("nft"), and nobody else can change it (flag "owner"): add table inet cni_debug: Operation not permitted (EPERM)`,
      );
    } finally {
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.stdin.end();
      await ended;
    }
    expect(tables()).toEqual([]);
  });

  test.each([
    ['map masquerade4 { type inet_service : verdict; }', 'add map inet cni_debug masquerade4'],
    ['set masquerade6 { type ipv6_addr; }', 'add map inet cni_debug masquerade6'],
  ])('where a table of our name has a %s of another', (object, operation) => {
    scratch.nft(['-f', '-'], `table inet cni_debug {\n${object}\n}\n`);
    const before = scratch.text();
    const ruleset = scratch.open();
    planMasquerade(ruleset, pod(1), [cidr('10.22.0.5/16')]);
    expect(() => ruleset.commit()).toThrow(
      `nftables has another object of that name, which is none of ours: ${operation}: File exists (EEXIST)`,
    );
    expect(scratch.text()).toBe(before);
  });

  test('may be closed twice', () => {
    const ruleset = scratch.open();
    ruleset.plan(table('one'));
    ruleset.close();
    ruleset.close();
    ruleset.commit();
    expect(tables()).toEqual([]);
  });
});

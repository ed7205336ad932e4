import { describe, expect, test } from 'bun:test';
import type { Surroundings } from '../../../plugins/built-in.ts';
import { answered } from '../../program.ts';
import { BuiltInCall } from './built-in-call.ts';
import { answer, result } from './fake-plugin.ts';

const delegate = [{ type: 'one' }, { type: 'between' }, { type: 'two' }];

/**
 * A chain of two plugins that plan rules, with an executable between them. What they write ends in an error, before the
 * kernel is asked for anything.
 */
class PlanningCall extends BuiltInCall {
  /** The batches that the rules of each were written to. */
  readonly written: [string, unknown][] = [];

  constructor() {
    super();
    this.writeOther('between', answer(result));
  }

  planning(type: string, end: 'commit' | 'conclude' = 'conclude') {
    const plan = ({ ruleset }: Surroundings, during: string) => {
      ruleset.plan({
        write: (batch) => {
          this.written.push([`${during} ${type}`, batch]);
          if (type === 'two') throw new Error(`${during}: table full`);
        },
      });
      ruleset[end]();
    };
    return this.plugin(result, (surroundings) => ({
      add: () => {
        plan(surroundings, 'ADD');
        return result as never;
      },
      del: () => plan(surroundings, 'DEL'),
    }));
  }

  get names(): string[] {
    return this.written.map(([name]) => name);
  }
}

describe('the rules of several plugins', () => {
  test('are made at the end of ADD, in one transaction, behind what is executed', async () => {
    using call = new PlanningCall();
    await call.run('ADD', { one: call.planning('one'), two: call.planning('two') }, { delegate });
    expect(call.names.slice(0, 2)).toEqual(['ADD one', 'ADD two']);
    expect(call.written[0]?.[1]).toBe(call.written[1]?.[1]);
    expect(call.record.delegates.slice(0, 3)).toMatchObject([
      { type: 'one', command: 'ADD' },
      { type: 'between', command: 'ADD', status: 0 },
      { type: 'two', command: 'ADD' },
    ]);
    expect(call.record.delegates[2]).not.toHaveProperty('failure');
  });

  test('that cannot be made fail ADD, and everything is undone', async () => {
    using call = new PlanningCall();
    const given = await call.run(
      'ADD',
      { one: call.planning('one'), two: call.planning('two') },
      { delegate },
    );
    expect(answered(given)).toMatchObject({ code: 999, msg: 'ADD: table full' });
    expect(answered(given).details).toBe(`record ${call.record.id} in ${call.journal}`);
    expect(call.operations).toEqual(['ADD one', 'ADD two', 'DEL two', 'DEL one']);
    expect(call.commandsWithTypes()).toEqual(['ADD between', 'DEL between']);
    // Nothing that ADD had planned is made by the DEL, whose own failure is noted.
    expect(call.names.slice(2)).toEqual(['DEL two']);
    expect(call.record.findings).toContainEqual({
      ...{ rule: 'undo-failed', object: 'nftables', message: 'DEL after the failed ADD: DEL: table full' },
    });
  });

  test('of a plugin that failed before are forgotten', async () => {
    using call = new PlanningCall();
    call.writeOther('between', '[ $CNI_COMMAND != ADD ]');
    await call.run('ADD', { one: call.planning('one'), two: call.planning('two') }, { delegate });
    expect(call.names.filter((name) => name.startsWith('ADD'))).toEqual([]);
  });

  test('are removed by each plugin itself on DEL, and the others have their turn', async () => {
    using call = new PlanningCall();
    const builtIns = { one: call.planning('one'), two: call.planning('two', 'commit') };
    const given = await call.run('DEL', builtIns, { delegate: [{ type: 'two' }, { type: 'two' }] });
    expect(answered(given).msg).toBe('delegate 2 of 2 ("two"): DEL: table full');
    expect(call.names).toEqual(['DEL two', 'DEL two']);
    expect(call.written[0]?.[1]).not.toBe(call.written[1]?.[1]);
  });

  test('that are left over on DEL are removed at its end', async () => {
    using call = new PlanningCall();
    const given = await call.run('DEL', { two: call.planning('two') }, { delegate: { type: 'two' } });
    expect(answered(given).msg).toBe('DEL: table full');
    expect(call.record.delegates).toMatchObject([{ type: 'two', command: 'DEL' }]);
    expect(call.record.delegates[0]).not.toHaveProperty('failure');
  });
});

import { describe, expect, test } from 'bun:test';
import { CniError } from '../../../src/cni/error.ts';
import { answered, prevResult } from '../../program.ts';
import { BuiltInCall } from './built-in-call.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

/** What a plugin behind the first one answers: the same interface, and one address more. */
const more = { ...result, ips: [...result.ips, { address: '10.22.0.8/16', interface: 0 }] };

/** Three plugins in one folder; a script that says nothing for ADD would fail. */
function threePlugins(): FakePlugin {
  const fake = new FakePlugin();
  fake.writeOther('one', answer(result));
  fake.writeOther('two', answer(more));
  fake.writeOther('three', answer(more));
  return fake;
}

const chain = [{ type: 'one' }, { type: 'two' }, { type: 'three' }];

function given(fake: FakePlugin, index: number) {
  return JSON.parse(fake.calls()[index]?.stdin ?? 'null');
}

const rules = (fake: FakePlugin) =>
  fake.records().flatMap(({ findings }) => (findings ?? []).map(({ rule }: { rule: string }) => rule));

describe('ADD', () => {
  test('goes forward, each with the result of the one before, and answers the last', async () => {
    using fake = threePlugins();
    const answer = await fake.call('ADD', { delegate: chain, prevResult });
    expect(answered(answer)).toEqual(more);
    expect(fake.commandsWithTypes()).toEqual(['ADD one', 'ADD two', 'ADD three']);
    expect([0, 1, 2].map((index) => given(fake, index).prevResult)).toEqual([prevResult, result, more]);
    expect(given(fake, 1)).toMatchObject({ type: 'two', cniVersion: '1.0.0', name: 'net' });
    const [begin, call, ...others] = fake.records();
    expect([begin.kind, call.kind, others]).toEqual(['begin', 'call', []]);
    expect(call.delegates).toMatchObject([
      { type: 'one', command: 'ADD', status: 0 },
      { type: 'two', command: 'ADD', status: 0 },
      { type: 'three', command: 'ADD', status: 0 },
    ]);
  });

  test('converts the result in between to the version of the configuration, as libcni does', async () => {
    using fake = threePlugins();
    fake.writeOther(
      'one',
      answer({ cniVersion: '0.4.0', ips: [{ version: '4', address: '10.22.0.7/16' }], dns: {} }),
    );
    await fake.call('ADD', { delegate: chain });
    expect(given(fake, 1).prevResult).toEqual({ cniVersion: '1.0.0', ips: [{ address: '10.22.0.7/16' }] });
  });

  test('gives each the capabilities that it declares', async () => {
    using fake = threePlugins();
    const runtimeConfig = { mac: '0a:00:00:00:00:01', portMappings: [] };
    const delegate = [
      { type: 'one', capabilities: { mac: true } },
      { type: 'two', capabilities: { portMappings: true } },
      { type: 'three' },
    ];
    await fake.call('ADD', { delegate, runtimeConfig });
    expect([0, 1, 2].map((index) => given(fake, index).runtimeConfig)).toEqual([
      { mac: runtimeConfig.mac },
      { portMappings: [] },
      runtimeConfig,
    ]);
  });

  test('says of what is suspicious in which result it is, once for one that goes on unchanged', async () => {
    using fake = threePlugins();
    const twice = { ...result, ips: [...result.ips, ...result.ips] };
    fake.writeOther('two', answer(twice));
    fake.writeOther('three', answer(twice));
    expect((await fake.call('ADD', { delegate: chain })).status).toBe(0);
    const objects = fake
      .records()[1]
      .findings.filter(({ rule }: { rule: string }) => rule === 'duplicate-address');
    expect(objects.map(({ object }: { object: string }) => object)).toEqual(['delegates[1].result.ips[1]']);
  });

  test.each([
    ['an error of its own', `echo '{"code":11,"msg":"full"}'; exit 1`, 11, 'full'],
    ['a crash', 'kill -SEGV $$', 101, 'plugin "two" (PATH/two) was killed by SIGSEGV during ADD'],
    [
      'a wrong result',
      `echo '{"ips":5}'`,
      101,
      'plugin "two" (PATH/two) exited with status 0 on ADD but printed a wrong result: delegates[1].result.ips: 5 is not an array',
    ],
  ])(
    'that fails in the middle by %s is undone in reverse, and the error says where',
    async (_, body, code, what) => {
      using fake = threePlugins();
      fake.writeOther('two', `[ $CNI_COMMAND = ADD ] || exit 0\n${body}`);
      const failed = await fake.call('ADD', { delegate: chain });
      const msg = `delegate 2 of 3 ("two"): ${what.replace('PATH', fake.folder)}`;
      expect(answered(failed)).toMatchObject({ code, msg });
      expect(fake.recordNamed(failed).error.msg).toBe(msg);
      expect(fake.commandsWithTypes()).toEqual(['ADD one', 'ADD two', 'DEL two', 'DEL one']);
      // The last result that there was.
      expect([2, 3].map((index) => given(fake, index).prevResult)).toEqual([result, result]);
    },
  );

  test('that fails at the end is undone with the result of the whole chain', async () => {
    using fake = threePlugins();
    const keys = { delegate: chain, prevResult, addHooks: [['/nowhere/hook']], strictHooks: true };
    expect(answered(await fake.call('ADD', keys)).code).toBe(102);
    expect(fake.commandsWithTypes().slice(3)).toEqual(['DEL three', 'DEL two', 'DEL one']);
    expect([3, 4, 5].map((index) => given(fake, index).prevResult)).toEqual([more, more, more]);
  });

  test('that fails is undone to the end, whatever a DEL says', async () => {
    using fake = threePlugins();
    fake.writeOther('two', '[ $CNI_COMMAND = ADD ] && exit 3; exit 4');
    const failed = await fake.call('ADD', { delegate: chain });
    expect(answered(failed).msg).toContain('exited with status 3 on ADD');
    expect(fake.commandsWithTypes()).toEqual(['ADD one', 'ADD two', 'DEL two', 'DEL one']);
    expect(fake.recordNamed(failed).findings).toContainEqual({
      rule: 'undo-failed',
      object: 'two',
      message: expect.stringContaining('DEL after the failed ADD: delegate 2 of 3 ("two"): plugin "two"'),
    });
  });

  test('that does not find one of them says so, and undoes those before it', async () => {
    using fake = threePlugins();
    const failed = await fake.call('ADD', { delegate: [{ type: 'one' }, { type: 'nowhere' }] });
    expect(answered(failed).msg).toBe(
      `delegate 2 of 2 ("nowhere"): plugin "nowhere" was not found in ${fake.folder} (CNI_PATH)`,
    );
    expect(fake.commandsWithTypes()).toEqual(['ADD one', 'DEL one']);
  });
});

describe('the other commands', () => {
  const keys = {
    ...{ delegate: chain, cniVersion: '1.1.0', validate: 'off' },
    prevResult: { ...prevResult, cniVersion: '1.1.0' },
  };
  const orders: [string, string[]][] = [
    ['DEL', ['DEL three', 'DEL two', 'DEL one']],
    ['CHECK', ['CHECK one', 'CHECK two', 'CHECK three']],
    ['GC', ['GC one', 'GC two', 'GC three']],
    ['STATUS', ['STATUS one', 'STATUS two', 'STATUS three']],
  ];

  test.each(orders)('%s: %j, each with the prevResult of the call', async (command, order) => {
    using fake = threePlugins();
    expect(await fake.call(command, keys)).toMatchObject({ status: 0, stdout: '' });
    expect(fake.commandsWithTypes()).toEqual(order);
    expect([0, 1, 2].map((index) => given(fake, index).prevResult)).toEqual(Array(3).fill(keys.prevResult));
  });

  test.each(orders)(
    '%s does not stop at an error: all have their turn, and all that they said is told',
    async (command, order) => {
      using fake = threePlugins();
      for (const [type, code] of [
        ['one', 7],
        ['three', 11],
      ] as const) {
        fake.writeOther(type, `echo '{"code":${code},"msg":"${type} failed"}'; exit 1`);
      }
      const failed = await fake.call(command, keys);
      expect(fake.commandsWithTypes()).toEqual(order);
      const texts = ['delegate 1 of 3 ("one"): one failed', 'delegate 3 of 3 ("three"): three failed'];
      if (command === 'DEL') texts.reverse();
      expect(answered(failed)).toMatchObject({ code: command === 'DEL' ? 11 : 7, msg: texts[0] });
      expect(answered(failed).details).toContain(texts[1]);
    },
  );
});

describe('a malformed list', () => {
  const malformed: [unknown, string][] = [
    [[], 'delegate: [] names no plugin'],
    [[{ type: 'one' }, {}], 'delegate[1].type: is missing'],
    [[{ type: 'one' }, 5], 'delegate[1]: 5 is not an object'],
    [[[{ type: 'one' }]], 'delegate[0]: [{"type":"one"}] is not an object'],
    [
      [{ type: 'one', capabilities: { mac: 1 } }],
      'delegate[0].capabilities: {"mac":1} is not a map of capabilities to true or false',
    ],
  ];

  test.each(malformed)('%j is an error on ADD, before anything runs', async (delegate, msg) => {
    using fake = threePlugins();
    expect(answered(await fake.call('ADD', { delegate }))).toMatchObject({ code: 7, msg });
    expect(fake.calls()).toEqual([]);
  });

  test('on DEL those that can be asked are asked, and the others are an error', async () => {
    using fake = threePlugins();
    const delegate = [{ type: 'one', capabilities: 5 }, { type: 7 }, { type: 'three' }];
    const answer = await fake.call('DEL', { delegate });
    expect(fake.commandsWithTypes()).toEqual(['DEL three', 'DEL one']);
    expect(answered(answer)).toMatchObject({ code: 7, msg: 'delegate[1].type: 7 is not a string' });
    expect(rules(fake)).toEqual(['malformed-key', 'malformed-key']);
  });

  test('on DEL one that can be asked is enough where only its capabilities are malformed', async () => {
    using fake = threePlugins();
    expect((await fake.call('DEL', { delegate: [{ type: 'one', capabilities: 5 }] })).status).toBe(0);
    expect(fake.commandsWithTypes()).toEqual(['DEL one']);
  });
});

describe('of executables and built-in plugins', () => {
  const order = ({ record }: BuiltInCall) =>
    record.delegates.map(({ command, type }: { command: string; type: string }) => `${command} ${type}`);

  test('each gets the result of the other', async () => {
    using call = new BuiltInCall();
    call.writeOther('two', answer(more));
    let before: unknown;
    const three = call.plugin(more, () => ({
      add: ({ configuration }) => {
        before = configuration.prevResult;
        return more as never;
      },
    }));
    const given = await call.run('ADD', { one: call.plugin(result), three }, { delegate: chain });
    expect(answered(given)).toEqual(more);
    expect(JSON.parse(call.calls()[0]?.stdin ?? '').prevResult).toEqual(result);
    expect(before).toEqual(more);
    expect(order(call)).toEqual(['ADD one', 'ADD two', 'ADD three']);
  });

  test('those before it are undone in reverse when a built-in one fails, which has undone itself', async () => {
    using call = new BuiltInCall();
    call.writeOther('two', answer(more));
    const three = call.plugin(more, () => ({
      add: () => {
        throw new CniError(11, 'full', { details: 'all of it' });
      },
    }));
    const given = await call.run('ADD', { one: call.plugin(result), three }, { delegate: chain });
    expect(answered(given)).toMatchObject({ code: 11, msg: 'delegate 3 of 3 ("three"): full' });
    expect(answered(given).details).toStartWith('all of it; record ');
    expect(order(call)).toEqual(['ADD one', 'ADD two', 'ADD three', 'DEL two', 'DEL one']);
  });

  test('a signal ends the one that waits, and what was added is removed', async () => {
    using call = new BuiltInCall();
    const two = call.plugin(more, () => ({
      add: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          call.end('SIGTERM');
        }),
    }));
    const builtIns = { one: call.plugin(result), two, three: call.plugin(more) };
    const given = await call.run('ADD', builtIns, { delegate: chain });
    expect(answered(given)).toMatchObject({ code: 999, msg: 'ADD was ended by SIGTERM' });
    expect(call.operations).toEqual(['ADD one', 'ADD two', 'DEL one']);
  });

  test('after a signal none is begun', async () => {
    using call = new BuiltInCall();
    const two = call.plugin(more, () => ({ del: () => call.end('SIGTERM') }));
    const builtIns = { one: call.plugin(result), two, three: call.plugin(more) };
    const given = await call.run('DEL', builtIns, { delegate: chain });
    expect(answered(given)).toMatchObject({ code: 999, msg: 'DEL was ended by SIGTERM' });
    expect(call.operations).toEqual(['DEL three', 'DEL two']);
  });
});

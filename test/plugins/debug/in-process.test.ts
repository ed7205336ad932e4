import { describe, expect, test } from 'bun:test';
import { CniError } from '../../../src/cni/error.ts';
import type { Invocation } from '../../../src/cni/plugin.ts';
import { NamespaceLostError } from '../../../src/kernel/netns.ts';
import { answered, prevResult } from '../../program.ts';
import { BuiltInCall } from './built-in-call.ts';
import { FakePlugin, result } from './fake-plugin.ts';

const delegate = { type: 'one' };

test('it answers with its result, and its steps and warnings are those of the call', async () => {
  using call = new BuiltInCall();
  const one = call.plugin(result, ({ step, warn }) => ({
    add: async () => {
      step('add veth', () => {});
      await step('wait for port', () => Bun.sleep(5));
      warn('reclaimed-lease', '10.22.0.7', 'lease 10.22.0.7: was empty');
      return result as never;
    },
  }));
  const given = await call.run('ADD', { one }, { delegate: { ...delegate, bridge: 'br7' } });
  expect(answered(given)).toEqual(result);
  expect(given).toMatchObject({ status: 0, stderr: '' });
  const { delegates, steps, findings, duration } = call.record;
  expect(delegates).toEqual([
    {
      ...{ type: 'one', command: 'ADD', inProcess: true, duration: expect.any(Number) },
      ...{ spanID: expect.stringMatching(/^[0-9a-f]{16}$/), at: expect.any(Number) },
      stdin: { type: 'one', bridge: 'br7', cniVersion: '1.0.0', name: 'net' },
    },
  ]);
  expect(delegates[0].duration).toBeWithin(4, duration);
  expect(steps.map(({ name }: { name: string }) => name)).toEqual([
    'delegate ADD one',
    'one: add veth',
    'one: wait for port',
  ]);
  expect(findings).toContainEqual({
    ...{ rule: 'reclaimed-lease', object: '10.22.0.7', message: 'lease 10.22.0.7: was empty' },
  });
  expect(call.records().map(({ kind }) => kind)).toEqual(['begin', 'call']);
});

test('it is given what its executable would be given', async () => {
  using call = new BuiltInCall();
  using fake = new FakePlugin();
  let seen: Invocation | undefined;
  const one = call.plugin(result, () => ({
    add: (invocation) => {
      seen = invocation;
      return result as never;
    },
  }));
  const keys = {
    ...{ prevResult, args: { cni: { ips: ['10.22.0.9'] } }, runtimeConfig: { mac: 'x', ips: [] } },
  };
  const own = { Bridge: 'br7', big: 12, capabilities: { mac: true } };
  await call.run('ADD', { one }, { ...keys, delegate: { ...own, type: 'one' } });
  await fake.call('ADD', { ...keys, delegate: { ...own, type: 'fake' } });
  const [executed] = fake.calls();
  expect(seen?.stdin.toString()).toBe(executed?.stdin.replace('"type":"fake"', '"type":"one"') ?? '');
  expect(JSON.stringify(seen?.document)).toBe(seen?.stdin.toString() ?? '');
  expect(seen).toMatchObject({
    ...{ command: 'ADD', containerID: 'c1', ifName: 'eth0', netns: '/run/netns/none', path: call.folder },
    configuration: { cniVersion: '1.0.0', name: 'net', type: 'one', runtimeConfig: { mac: 'x' }, prevResult },
    environment: { CNI_COMMAND: 'ADD' },
  });
});

test('its configuration is checked as that of its executable', async () => {
  using call = new BuiltInCall();
  const one = call.plugin(result);
  const given = await call.run('ADD', { one }, { delegate: { ...delegate, runtimeConfig: 5 } });
  expect(answered(given)).toMatchObject({ code: 7, msg: 'runtimeConfig: 5 is not an object' });
  expect(call.operations).toEqual([]);
});

test('its result is answered in the version of the configuration', async () => {
  using call = new BuiltInCall();
  const latest = { cniVersion: '1.1.0', ips: [{ address: '10.22.0.7/16' }] };
  const given = await call.run('ADD', { one: call.plugin(latest) }, { cniVersion: '0.3.1', delegate });
  expect(answered(given)).toEqual({
    ...{ cniVersion: '0.3.1', ips: [{ version: '4', address: '10.22.0.7/16' }], dns: {} },
  });
});

describe('what it throws', () => {
  test('is passed on with code, message and details, and ADD has undone itself', async () => {
    using call = new BuiltInCall();
    const one = call.plugin(result, () => ({
      add: () => {
        throw new CniError(11, 'no free address', { details: 'in 10.22.0.0/16' });
      },
    }));
    const given = await call.run('ADD', { one }, { delegate });
    expect(given.status).toBe(1);
    expect(answered(given)).toMatchObject({ cniVersion: '1.0.0', code: 11, msg: 'no free address' });
    expect(answered(given).details).toBe(`in 10.22.0.0/16; record ${call.record.id} in ${call.journal}`);
    expect(call.record.delegates).toMatchObject([{ command: 'ADD', failure: 'no free address' }]);
    expect(call.operations).toEqual(['ADD one']);
  });

  test.each(['DEL', 'CHECK', 'GC', 'STATUS'])('fails %s, which is not undone', async (command) => {
    using call = new BuiltInCall();
    const fail = () => {
      throw new Error('no such thing');
    };
    const one = call.plugin(result, () => ({ check: fail, del: fail, gc: fail, status: fail }));
    const keys = { cniVersion: '1.1.0', validate: 'off', prevResult, delegate };
    const given = await call.run(command, { one }, keys);
    expect(answered(given)).toMatchObject({ code: 999, msg: 'no such thing' });
    expect(call.operations).toEqual([`${command} one`]);
  });

  test('from the way out of a namespace ends everything: nothing is undone in the wrong one', async () => {
    using call = new BuiltInCall();
    const cause = new NamespaceLostError('cannot return to the network namespace of this process');
    const two = call.plugin(result, () => ({
      add: () => {
        throw new CniError(999, 'set up eth0', { cause: new Error('in between', { cause }) });
      },
    }));
    const builtIns = { one: call.plugin(result), two };
    const given = await call.run('ADD', builtIns, { delegate: [{ type: 'one' }, { type: 'two' }] });
    expect(answered(given)).toMatchObject({ code: 999, msg: cause.message });
    expect(call.operations).toEqual(['ADD one', 'ADD two']);
  });
});

test('a wrong result is an error that names the plugin, and is undone', async () => {
  using call = new BuiltInCall();
  const one = call.plugin({ cniVersion: '1.0.0', interfaces: 5 });
  const given = await call.run('ADD', { one }, { delegate });
  expect(answered(given)).toMatchObject({
    code: 101,
    msg: 'plugin "one" (built in) answered ADD with a wrong result: result.interfaces: 5 is not an array',
  });
  expect(call.operations).toEqual(['ADD one', 'DEL one']);
});

test('a result that cannot be said in the version of the configuration is undone', async () => {
  using call = new BuiltInCall();
  const one = call.plugin({ cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] });
  const given = await call.run('ADD', { one }, { cniVersion: '0.2.0', delegate });
  expect(answered(given).msg).toContain('no valid IP addresses');
  expect(call.operations).toEqual(['ADD one', 'DEL one']);
});

test('a signal that comes while the kernel is at work is answered after that, and what was added is removed', async () => {
  using call = new BuiltInCall();
  const one = call.plugin(result, () => ({
    add: () => {
      // As the event loop hears of a signal that came before: when synchronous work is done.
      setImmediate(() => call.end('SIGTERM'));
      return result as never;
    },
  }));
  const given = await call.run('ADD', { one }, { delegate });
  expect(answered(given)).toMatchObject({ code: 999, msg: 'ADD was ended by SIGTERM' });
  expect(call.operations).toEqual(['ADD one', 'DEL one']);
});

test.each([
  ['a signal', {}, 999, 'ADD was ended by SIGTERM'],
  [
    'its deadline',
    { delegateTimeout: '50ms' },
    101,
    'plugin "one" (built in) did not answer ADD within 50ms',
  ],
])('%s ends what it waits for', async (what, keys, code, msg) => {
  using call = new BuiltInCall();
  const one = call.plugin(result, () => ({
    add: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        if (what === 'a signal') call.end('SIGTERM');
      }),
  }));
  const given = await call.run('ADD', { one }, { delegate, ...keys });
  expect(answered(given)).toMatchObject({ code, msg });
  // It undoes itself.
  expect(call.operations).toEqual(['ADD one']);
});

describe('a deadline that passes while the kernel is at work', () => {
  const keys = { delegate, delegateTimeout: '50ms' };

  test('fails ADD after that, and what was added is removed', async () => {
    using call = new BuiltInCall();
    const one = call.plugin(result, () => ({
      add: () => {
        Bun.sleepSync(60);
        return result as never;
      },
    }));
    const msg = 'plugin "one" (built in) did not answer ADD within 50ms';
    expect(answered(await call.run('ADD', { one }, keys))).toMatchObject({ code: 101, msg });
    expect(call.operations).toEqual(['ADD one', 'DEL one']);
    expect(call.record.delegates[0]).toMatchObject({ command: 'ADD', failure: msg });
  });

  test('fails DEL', async () => {
    using call = new BuiltInCall();
    const one = call.plugin(result, () => ({ del: () => Bun.sleepSync(60) }));
    const msg = 'plugin "one" (built in) did not answer DEL within 50ms';
    expect(answered(await call.run('DEL', { one }, keys))).toMatchObject({ code: 101, msg });
  });

  test('leaves an error that there is as it is', async () => {
    using call = new BuiltInCall();
    const one = call.plugin(result, () => ({
      add: () => {
        Bun.sleepSync(60);
        throw new CniError(11, 'locked');
      },
    }));
    expect(answered(await call.run('ADD', { one }, keys))).toMatchObject({ code: 11, msg: 'locked' });
    expect(call.operations).toEqual(['ADD one']);
  });
});

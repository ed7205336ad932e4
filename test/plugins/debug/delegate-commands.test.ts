import { describe, expect, test } from 'bun:test';
import { answered, prevResult } from '../../program.ts';
import { FakePlugin } from './fake-plugin.ts';

describe('DEL, CHECK, GC and STATUS', () => {
  const commands = ['DEL', 'CHECK', 'GC', 'STATUS'];
  const keys = { cniVersion: '1.1.0', validate: 'warn', prevResult: { ...prevResult, cniVersion: '1.1.0' } };

  test.each(commands)('%s that succeeds prints nothing, whatever the delegate prints', async (command) => {
    using fake = new FakePlugin('echo "done {}"; echo log >&2');
    expect(await fake.wrap(command, keys)).toMatchObject({ status: 0, stdout: '', stderr: 'log\n' });
    expect(fake.records().map(({ kind }) => kind)).toEqual(['begin', 'call']);
    expect(fake.records()[1].delegates).toMatchObject([{ command, status: 0, stdout: 'done {}\n' }]);
  });

  test.each(commands)('%s that the delegate fails fails, and is not undone', async (command) => {
    using fake = new FakePlugin('echo bad >&2; exit 3');
    const given = await fake.wrap(command, keys);
    expect(given.status).toBe(1);
    expect(answered(given)).toMatchObject({
      code: 101,
      msg: `plugin "fake" (${fake.path}) exited with status 3 on ${command} and printed no error; it wrote on stderr "bad"`,
    });
    fake.recordNamed(given);
    expect(fake.commands()).toEqual([command]);
  });

  test.each(commands)('%s of a plugin that is not there fails', async (command) => {
    using fake = new FakePlugin();
    const given = await fake.call(command, { ...keys, delegate: { type: 'nowhere' } });
    expect(answered(given).msg).toBe(`plugin "nowhere" was not found in ${fake.folder} (CNI_PATH)`);
    fake.recordNamed(given);
  });

  test('DEL reaches the delegate without prevResult, and with one that is malformed', async () => {
    using fake = new FakePlugin();
    expect(await fake.wrap('DEL')).toMatchObject({ status: 0 });
    expect(await fake.wrap('DEL', { prevResult: { ips: 5 } })).toMatchObject({ status: 0 });
    expect(fake.commands()).toEqual(['DEL', 'DEL']);
  });

  test('STATUS without CNI_PATH says that it cannot search', async () => {
    using fake = new FakePlugin();
    const given = await fake.call('STATUS', { ...keys, delegate: { type: 'fake' } }, { CNI_PATH: '' });
    expect(answered(given).msg).toBe('plugin "fake" cannot be searched for: CNI_PATH is empty');
  });

  test('STATUS passes on that the plugin is not available', async () => {
    using fake = new FakePlugin('echo \'{"code":50,"msg":"no addresses left"}\'; exit 1');
    const given = await fake.wrap('STATUS', keys);
    expect(answered(given)).toMatchObject({ cniVersion: '1.1.0', code: 50, msg: 'no addresses left' });
  });
});

describe('where the record is', () => {
  test('is the text log when there is no journal', async () => {
    using fake = new FakePlugin('exit 1');
    const given = await fake.wrap('ADD', { journal: false });
    const [, time = '', log] = /^record of (\S+Z) in (\S+)$/.exec(answered(given).details) ?? [];
    expect(log).toBe(fake.log);
    expect(fake.text('cni_output.log')).toContain(time);
  });

  test('is nowhere when there are no logs', async () => {
    using fake = new FakePlugin('exit 1');
    const given = await fake.wrap('ADD', { journal: false, cniOutput: '' });
    expect(answered(given).details).toBe('no record is kept');
  });
});

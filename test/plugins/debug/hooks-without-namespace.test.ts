import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { answered, debug, run } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { FakePlugin } from './fake-plugin.ts';
import { failures, lastRecord } from './hook-record.ts';

/** It speaks of a namespace that is not there, and is another than that of the call. */
const prevResult = { cniVersion: '1.0.0', interfaces: [{ name: 'eth0', sandbox: '/run/netns/another' }] };

describe('without a namespace', () => {
  const hooks = { delHooks: [['true']] };

  test.each([
    ['CNI_NETNS is empty', '', 'was not run: CNI_NETNS is empty'],
    ['it is gone', '/run/netns/none', /was not run: stat "\/run\/netns\/none": .*ENOENT/],
    ['CNI_NETNS is another file', '/etc/hostname', /was not run: "\/etc\/hostname" is a regular file/],
  ])('DEL succeeds and says that no hook was run, when %s', async (_, CNI_NETNS, message) => {
    using fake = new FakePlugin();
    const given = await fake.call('DEL', { ...hooks, delegate: { type: 'fake' } }, { CNI_NETNS });
    expect(given).toMatchObject({ status: 0, stdout: '' });
    expect(failures(fake)).toEqual([expect.stringMatching(message)]);
    expect(lastRecord(fake).hooks).toEqual([{ argv: ['true'], failure: expect.stringMatching(message) }]);
    expect(fake.commands()).toEqual(['DEL']);
  });

  test.each(['', '/run/netns/none'])(
    'DEL succeeds with strictHooks, too, for CNI_NETNS=%s',
    async (CNI_NETNS) => {
      using fake = new FakePlugin();
      const given = await fake.call('DEL', { ...hooks, strictHooks: true }, { CNI_NETNS });
      expect(given).toMatchObject({ status: 0, stdout: '' });
      expect(failures(fake)).toHaveLength(1);
    },
  );

  test('ADD fails with strictHooks, and the error names the namespace', async () => {
    using fake = new FakePlugin();
    const given = await fake.call('ADD', { addHooks: [['true']], strictHooks: true, prevResult });
    expect(answered(given).code).toBe(102);
    expect(answered(given).msg).toContain('hook ["true"] was not run: stat "/run/netns/none"');
  });

  test.if(requires('root'))('an executable that is not in PATH is said to be missing', async () => {
    using fake = new FakePlugin();
    const environment = { ...fake.environment('DEL', { CNI_NETNS: '/proc/self/ns/net' }), PATH: fake.folder };
    const stdin = fake.configuration({ delHooks: [['true']] });
    expect(await run(debug, { environment, stdin })).toMatchObject({ status: 0 });
    expect(failures(fake)).toEqual(['hook ["true"] could not be started: ENOENT']);
    expect(readFileSync(fake.log, 'utf8')).toContain('DEL');
  });
});

import { describe, expect, test } from 'bun:test';
import { answered, prevResult } from '../../program.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

describe('a delegate whose ADD fails', () => {
  test('gets its DEL once, with its result as prevResult, when a later step fails', async () => {
    using fake = new FakePlugin(answer({ ...result, vendor: { big: 1 } }));
    const keys = {
      addHooks: [['/nowhere/hook']],
      strictHooks: true,
      runtimeConfig: { mac: 'x' },
      prevResult,
    };
    const given = await fake.wrap('ADD', keys, { bridge: 'br7' });
    expect(answered(given).code).toBe(102);
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
    const { prevResult: itsOwn, ...rest } = fake.configurationGiven('DEL');
    expect(itsOwn).toEqual({ ...result, vendor: { big: 1 } });
    const { prevResult: before, ...sameRest } = fake.configurationGiven('ADD');
    expect(before).toEqual(prevResult);
    expect(rest).toEqual(sameRest);
    const [add, del] = fake.calls();
    expect(del?.environment).toEqual({
      ...add?.environment,
      ...{ CNI_COMMAND: 'DEL', TRACEPARENT: expect.any(String) },
    });
    expect(fake.records()[1].delegates).toMatchObject([
      { command: 'ADD', status: 0 },
      { command: 'DEL', status: 0, environment: { CNI_COMMAND: 'DEL' } },
    ]);
    expect(fake.records()[1].findings.map(({ rule }: { rule: string }) => rule)).not.toContain('undo-failed');
  });

  test('gets prevResult in the version of the configuration, as every plugin does', async () => {
    using fake = new FakePlugin(
      answer({ cniVersion: '0.4.0', ips: [{ version: '4', address: '10.22.0.7/16' }] }),
    );
    await fake.wrap('ADD', { addHooks: [['/nowhere/hook']], strictHooks: true });
    expect(fake.configurationGiven('DEL').prevResult).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: '10.22.0.7/16' }],
    });
  });

  test('gets no prevResult before 0.4.0', async () => {
    using fake = new FakePlugin(
      answer({ cniVersion: '0.3.1', ips: [{ version: '4', address: '10.22.0.7/16' }] }),
    );
    await fake.wrap('ADD', { cniVersion: '0.3.1', addHooks: [['/nowhere/hook']], strictHooks: true });
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
    expect(fake.configurationGiven('DEL')).toEqual(fake.configurationGiven('ADD'));
  });

  test('gets its DEL when its result cannot be said in the version of the configuration', async () => {
    using fake = new FakePlugin(
      `echo hm >&2; ${answer({ cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] })}`,
    );
    const given = await fake.wrap('ADD', { cniVersion: '0.2.0' });
    expect(answered(given)).toMatchObject({
      cniVersion: '0.2.0',
      code: 101,
      msg: `plugin "fake" (${fake.path}) exited with status 0 on ADD but printed a wrong result: cannot convert: no valid IP addresses; it wrote on stderr "hm"; a result of 0.1.0 or 0.2.0 must have an address: ask for a newer cniVersion`,
    });
    fake.recordNamed(given);
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
  });

  test('gets its DEL when its result names a version that there is not', async () => {
    using fake = new FakePlugin(answer({ ...result, cniVersion: '3.0.0' }));
    const given = await fake.wrap('ADD');
    expect(answered(given).msg).toContain('result.cniVersion: "3.0.0" is another version');
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
  });

  test.each(['warn', 'off'])('does not fail for a wrong result when validate is "%s"', async (validate) => {
    const wrong = { cniVersion: '1.0.0', ips: [{ address: '10.1.0.300/24' }] };
    using fake = new FakePlugin(answer(wrong));
    const given = await fake.wrap('ADD', { validate });
    expect(answered(given)).toEqual(wrong);
    expect(fake.commands()).toEqual(['ADD']);
  });

  test('gets the prevResult that it was given, when it has no result of its own', async () => {
    using fake = new FakePlugin('[ $CNI_COMMAND != ADD ]');
    await fake.wrap('ADD', { prevResult });
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
    expect(fake.configurationGiven('DEL').prevResult).toEqual(prevResult);
  });

  test('and whose DEL fails, too, leaves that as a finding, and its first error as the answer', async () => {
    using fake = new FakePlugin('echo "{\\"code\\":100,\\"msg\\":\\"$CNI_COMMAND failed\\"}"; exit 1');
    const given = await fake.wrap('ADD');
    expect(answered(given)).toMatchObject({ code: 100, msg: 'ADD failed' });
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
    const { delegates, findings } = fake.recordNamed(given);
    expect(findings).toContainEqual({
      rule: 'undo-failed',
      object: 'fake',
      message: 'DEL after the failed ADD: DEL failed',
    });
    expect(delegates.map(({ failure }: { failure: string }) => failure)).toEqual([
      'ADD failed',
      'DEL failed',
    ]);
  });

  test('and that never ran, because the kernel refuses it, gets no DEL', async () => {
    using fake = new FakePlugin();
    fake.write('', '/nowhere/sh');
    const given = await fake.wrap('ADD');
    expect(answered(given).msg).toBe(
      `plugin "fake" (${fake.path}) could not be started for ADD: ENOENT, its interpreter /nowhere/sh is missing`,
    );
    const { delegates, findings } = fake.recordNamed(given);
    expect(delegates).toMatchObject([{ command: 'ADD', failure: answered(given).msg }]);
    expect(findings).toEqual([]);
  });
});

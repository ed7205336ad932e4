import { describe, expect, test } from 'bun:test';
import { chmodSync } from 'node:fs';
import { answered, programs } from '../../program.ts';
import { isRunning } from '../../runtime/plugin-folder.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

const onlyJson = 'stdout is for the one JSON value of the answer, logs belong on stderr';

describe.each(programs)('%s', (_, argv) => {
  test('ADD answers what the delegate answers, and records all of its call', async () => {
    using fake = new FakePlugin(`echo working > /dev/stderr; ${answer(result)}`);
    const given = await fake.wrap('ADD', {}, { bridge: 'br7' }, argv);
    expect(answered(given)).toEqual(result);
    expect(given).toMatchObject({ status: 0, stderr: 'working\n' });
    const [begin, call] = fake.records();
    expect(begin).toMatchObject({ kind: 'begin', command: 'ADD', network: 'net' });
    expect(call).toMatchObject({ kind: 'call', id: begin.id, result });
    expect(call.delegates).toEqual([
      {
        type: 'fake',
        command: 'ADD',
        argv: [fake.path],
        environment: fake.calls()[0]?.environment,
        stdin: { type: 'fake', bridge: 'br7', cniVersion: '1.0.0', name: 'net' },
        stdout: JSON.stringify(result),
        stderr: 'working\n',
        spanID: expect.stringMatching(/^[0-9a-f]{16}$/),
        at: expect.any(Number),
        pid: expect.any(Number),
        status: 0,
        duration: expect.any(Number),
      },
    ]);
    expect(call.delegates[0].duration).toBeWithin(0.1, call.duration);
  });

  const endings: [string, string, object, string][] = [
    [
      'is killed by a signal',
      'echo panic >&2; kill -SEGV $$',
      { signal: 'SIGSEGV', stderr: 'panic\n' },
      'was killed by SIGSEGV during ADD; it wrote on stderr "panic"',
    ],
    [
      'fails silently',
      'echo no subnet >&2; exit 2',
      { status: 2, stdout: '', stderr: 'no subnet\n' },
      'exited with status 2 on ADD and printed no error; it wrote on stderr "no subnet"',
    ],
    [
      'fails with something that is no error',
      'echo oops; echo why >&2; exit 2',
      { status: 2, stdout: 'oops\n' },
      `exited with status 2 on ADD and printed what is not JSON (unexpected "o" at line 1, column 1): "oops"; it wrote on stderr "why"; ${onlyJson}`,
    ],
    [
      'answers with nothing',
      'echo hm >&2',
      { status: 0, stdout: '' },
      'exited with status 0 on ADD but printed no result; it wrote on stderr "hm"; one that changes nothing must print prevResult',
    ],
    [
      'answers with two results',
      'echo hm >&2; echo \'{"a":1}\'; echo \'{"b":2}\'',
      { status: 0, stdout: '{"a":1}\n{"b":2}\n' },
      `exited with status 0 on ADD and printed two JSON values, the second is "{\\"b\\":2}"; it wrote on stderr "hm"; ${onlyJson}`,
    ],
    [
      'prints something before its result',
      'echo hm >&2; echo starting; echo \'{"a":1}\'',
      { status: 0, stdout: 'starting\n{"a":1}\n' },
      `exited with status 0 on ADD and printed something before its JSON: "starting"; it wrote on stderr "hm"; ${onlyJson}`,
    ],
    [
      'prints something after its result',
      'echo hm >&2; echo \'{"a":1}\'; echo done',
      { status: 0, stdout: '{"a":1}\ndone\n' },
      `exited with status 0 on ADD and printed something after its JSON: "done"; it wrote on stderr "hm"; ${onlyJson}`,
    ],
    [
      'answers with what is not JSON',
      'echo hm >&2; echo ok',
      { status: 0, stdout: 'ok\n' },
      `exited with status 0 on ADD and printed what is not JSON (unexpected "o" at line 1, column 1): "ok"; it wrote on stderr "hm"; ${onlyJson}`,
    ],
    [
      'succeeds with an error',
      `echo hm >&2; echo '{"code":7,"msg":"bad"}'`,
      { status: 0 },
      'exited with status 0 on ADD but printed an error: "bad" (code 7); it wrote on stderr "hm"',
    ],
    [
      'answers with an address that is none',
      `echo hm >&2; echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.300/24"}]}'`,
      { status: 0, stderr: 'hm\n' },
      'exited with status 0 on ADD but printed a wrong result: result.ips[0].address: "10.1.0.300/24" is not a CIDR address; it wrote on stderr "hm"',
    ],
  ];
  test.each(endings)('a delegate that %s', async (_, body, account, message) => {
    using fake = new FakePlugin(`[ $CNI_COMMAND = ADD ] || exit 0\n${body}`);
    const given = await fake.wrap('ADD', {}, {}, argv);
    expect(given.status).toBe(1);
    expect(answered(given)).toMatchObject({ cniVersion: '1.0.0', code: 101 });
    expect(answered(given).msg).toBe(`plugin "fake" (${fake.path}) ${message}`);
    const { delegates, error } = fake.recordNamed(given);
    expect(error).toMatchObject({ code: 101, msg: answered(given).msg });
    expect(delegates[0]).toMatchObject({
      ...{ type: 'fake', command: 'ADD', argv: [fake.path], stdin: { name: 'net' } },
      environment: { CNI_COMMAND: 'ADD' },
      duration: expect.any(Number),
      ...account,
    });
    expect('status' in delegates[0]).toBe(!('signal' in account));
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
  });

  test('an error of the delegate itself is passed on with its code, message and details', async () => {
    const error = '{"code":11,"msg":"no free address","details":"in 10.22.0.0/16"}';
    using fake = new FakePlugin(`echo full >&2; echo '${error}'; [ $CNI_COMMAND != ADD ]`);
    const given = await fake.wrap('ADD', {}, {}, argv);
    expect(answered(given)).toMatchObject({ code: 11, msg: 'no free address' });
    expect(answered(given).details).toStartWith('in 10.22.0.0/16; record ');
    expect(given).toMatchObject({ status: 1, stderr: 'full\nfull\n' });
    expect(fake.recordNamed(given).delegates[0]).toMatchObject({ status: 1, failure: 'no free address' });
  });

  test('a delegate that ignores SIGTERM is killed after its deadline', async () => {
    using fake = new FakePlugin(
      '[ $CNI_COMMAND = ADD ] || exit 0\ntrap "" TERM; echo waiting >&2; sleep 60 & echo $! > "$d/child"; while :; do wait; done',
    );
    const given = await fake.wrap('ADD', { delegateTimeout: '1500ms' }, {}, argv);
    expect(answered(given).msg).toBe(
      `plugin "fake" (${fake.path}) did not answer ADD within 1500ms and was ended with SIGKILL; it wrote on stderr "waiting"`,
    );
    const [account] = fake.recordNamed(given).delegates;
    expect(account).toMatchObject({ signal: 'SIGKILL', stderr: 'waiting\n' });
    expect(account.duration).toBeWithin(3490, 15_000);
    expect([account.pid, fake.number('child')].filter(isRunning)).toEqual([]);
    expect(fake.commands()).toEqual(['ADD', 'DEL']);
  }, 20_000);

  test('a plugin that cannot be found is searched for in folders that the error names', async () => {
    using fake = new FakePlugin();
    const keys = { delegate: { type: 'nowhere' } };
    const given = await fake.call('ADD', keys, { CNI_PATH: `${fake.folder}:/opt/none` }, argv);
    expect(answered(given)).toMatchObject({
      code: 101,
      msg: `plugin "nowhere" was not found in ${fake.folder}, /opt/none (CNI_PATH)`,
    });
    expect(fake.recordNamed(given)).toMatchObject({ delegates: [], findings: [] });
  });

  test('a plugin that is not executable can be made so as the error says', async () => {
    using fake = new FakePlugin();
    chmodSync(fake.path, 0o644);
    const given = await fake.wrap('ADD', {}, {}, argv);
    expect(answered(given)).toMatchObject({
      code: 101,
      msg: `plugin "fake" was found at ${fake.path} but is not executable: chmod +x ${fake.path}`,
    });
    expect(fake.recordNamed(given)).toMatchObject({ delegates: [], findings: [] });
  });

  test('a result of another version is answered in that of the configuration', async () => {
    const old = { cniVersion: '0.4.0', ips: [{ version: '4', address: '10.22.0.7/16' }], dns: {} };
    using fake = new FakePlugin(answer(old));
    const given = await fake.wrap('ADD', { cniVersion: '1.1.0' }, {}, argv);
    expect(answered(given)).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.22.0.7/16' }] });
  });
});

test('a stderr without a line end gets one, so that what follows stands on its own line', async () => {
  using fake = new FakePlugin('printf half >&2; exit 1');
  expect((await fake.wrap('DEL')).stderr).toBe('half\n');
});

test('a megabyte on stdout and stderr is read, and the record keeps the beginning of it', async () => {
  using fake = new FakePlugin(
    `head -c 1000000 /dev/zero | tr '\\0' x >&2; ${answer({ ...result, vendor: 'y'.repeat(90_000) })}`,
  );
  const given = await fake.wrap('ADD');
  expect(answered(given).vendor).toHaveLength(90_000);
  expect(given.stderr).toHaveLength(1_000_001);
  const [account] = fake.records()[1].delegates;
  expect(account.stdout).toEndWith('more characters)');
  expect(account.stderr).toEndWith('… (934464 more characters)');
});

test('a log that cannot be written does not keep the delegate from running', async () => {
  using fake = new FakePlugin();
  const given = await fake.wrap('ADD', { journal: { path: `${fake.path}/journal` } });
  expect(answered(given)).toEqual(result);
  expect(given.stderr).toContain(`log "${fake.path}/journal"`);
  expect(fake.commands()).toEqual(['ADD']);
});

test('with strictLog it does, before anything runs', async () => {
  using fake = new FakePlugin();
  const keys = { strictLog: true, journal: { path: `${fake.path}/journal` } };
  const given = await fake.wrap('ADD', keys);
  expect(answered(given).code).toBe(5);
  expect(fake.commands()).toEqual([]);
});

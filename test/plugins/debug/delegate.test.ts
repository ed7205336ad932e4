import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { type Answer, answered, debug, prevResult, programs, run, type Scratch } from '../../program.ts';
import { isRunning } from '../../runtime/plugin-folder.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

const onlyJson = 'stdout is for the one JSON value of the answer, logs belong on stderr';

/** The record of kind `call` that the error's details name, after a `begin` with the same id. */
function recordNamed(fake: Scratch, given: Answer) {
  const { details } = answered(given);
  const [, id, journal] = /(?:^|; )record ([0-9a-f]{16}) in (\S+)$/.exec(details) ?? [];
  expect(journal).toBe(fake.journal);
  const records = fake.records().filter((record) => record.id === id);
  expect(records.map(({ kind }) => kind)).toEqual(['begin', 'call']);
  return records[1];
}

describe.each(programs)('%s', (_, argv) => {
  test('ADD answers what the delegate answers, and records all of its call', async () => {
    using fake = new FakePlugin(`echo working >&2; ${answer(result)}`);
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
    const { delegates, error } = recordNamed(fake, given);
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
    expect(recordNamed(fake, given).delegates[0]).toMatchObject({ status: 1, failure: 'no free address' });
  });

  test('a delegate that ignores SIGTERM is killed after its deadline', async () => {
    using fake = new FakePlugin(
      '[ $CNI_COMMAND = ADD ] || exit 0\ntrap "" TERM; echo waiting >&2; sleep 60 & echo $! > "$d/child"; while :; do wait; done',
    );
    const given = await fake.wrap('ADD', { delegateTimeout: '300ms' }, {}, argv);
    expect(answered(given).msg).toBe(
      `plugin "fake" (${fake.path}) did not answer ADD within 300ms and was ended with SIGKILL; it wrote on stderr "waiting"`,
    );
    const [account] = recordNamed(fake, given).delegates;
    expect(account).toMatchObject({ signal: 'SIGKILL', stderr: 'waiting\n' });
    expect(account.duration).toBeWithin(2290, 10_000);
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
    expect(recordNamed(fake, given)).toMatchObject({ delegates: [], findings: [] });
  });

  test('a plugin that is not executable can be made so as the error says', async () => {
    using fake = new FakePlugin();
    chmodSync(fake.path, 0o644);
    const given = await fake.wrap('ADD', {}, {}, argv);
    expect(answered(given)).toMatchObject({
      code: 101,
      msg: `plugin "fake" was found at ${fake.path} but is not executable: chmod +x ${fake.path}`,
    });
    expect(recordNamed(fake, given)).toMatchObject({ delegates: [], findings: [] });
  });

  test('a result of another version is answered in that of the configuration', async () => {
    const old = { cniVersion: '0.4.0', ips: [{ version: '4', address: '10.22.0.7/16' }], dns: {} };
    using fake = new FakePlugin(answer(old));
    const given = await fake.wrap('ADD', { cniVersion: '1.1.0' }, {}, argv);
    expect(answered(given)).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.22.0.7/16' }] });
  });
});

describe('what the delegate is given', () => {
  const attachments = {
    'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }],
    'cni.dev/attachments': [{ containerID: 'c1', ifname: 'eth0' }],
  };
  const runtimeConfig = { mac: '0a:00:00:00:00:01', portMappings: [{ hostPort: 80, containerPort: 8080 }] };
  const outer = { ...attachments, runtimeConfig, prevResult: { ...prevResult, cniVersion: '1.1.0' } };
  const args = { cni: { ips: ['10.22.0.9'] }, labels: [{ key: 'a', value: 'b' }] };

  test.each(['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'])('%s', async (command) => {
    using fake = new FakePlugin(answer({ ...result, cniVersion: '1.1.0' }));
    const variables = {
      ...{ CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=nginx', TRACEPARENT: '00-1-2-01' },
      ...{ EMPTY: '', LINES: 'a\nb=c\n', HOME: '/root' },
    };
    const delegate = {
      type: 'fake',
      Bridge: 'br7',
      isGateWay: true,
      capabilities: { mac: true, portMappings: false },
    };
    const keys = { cniVersion: '1.1.0', validate: 'warn', args, delegate, ...outer };
    const given = await fake.call(command, keys, variables);
    expect(given.status).toBe(0);
    expect(fake.calls()).toHaveLength(1);
    expect(fake.configurationGiven(command)).toEqual({
      ...{ type: 'fake', Bridge: 'br7', isGateWay: true },
      ...{ cniVersion: '1.1.0', name: 'net', args, ...outer },
      runtimeConfig: { mac: runtimeConfig.mac },
    });
    const environment = { PATH: process.env.PATH ?? '', ...fake.environment(command, variables) };
    expect(fake.calls()[0]?.environment).toEqual(environment);
  });

  test.each([
    ['what is declared true', { mac: true, portMappings: false }, { mac: runtimeConfig.mac }],
    ['nothing when all of it is declared false', { mac: false, portMappings: false }, undefined],
    ['nothing when something else is declared', { ips: true }, undefined],
    ['everything when nothing is declared', undefined, runtimeConfig],
    ['everything when the declaration is empty', {}, runtimeConfig],
  ])('of runtimeConfig %s', async (_, capabilities, expected) => {
    using fake = new FakePlugin();
    await fake.wrap('ADD', { runtimeConfig }, { capabilities });
    expect(fake.configurationGiven().runtimeConfig).toEqual(expected);
    expect(fake.configurationGiven()).not.toHaveProperty('capabilities');
  });

  test('keys keep their spelling and order, numbers their digits, and __proto__ is a key', async () => {
    using fake = new FakePlugin();
    const own =
      '"TYPE":"fake","isgateway":true,"big":9007199254740993,"one":1.0,"__proto__":{"x":[1e400]},"Sysctl":{"A":"b"}';
    const args = '{"__proto__":{"a":-0},"big":12345678901234567890}';
    const prevResult = '{"cniVersion":"1.0.0","__proto__":{"b":2},"vendor":{"id":9007199254740995}}';
    const stdin = fake
      .configuration({ delegate: 0, args: 0, prevResult: 0 })
      .replace('"delegate":0', `"Delegate":{${own}}`)
      .replace('"args":0', `"ARGS":${args}`)
      .replace('"prevResult":0', `"PrevResult":${prevResult}`);
    const given = await run(debug, { environment: fake.environment('ADD'), stdin });
    expect(given.status).toBe(0);
    expect(fake.calls()[0]?.stdin).toBe(
      `{${own},"cniVersion":"1.0.0","name":"net","prevResult":${prevResult},"args":${args}}`,
    );
  });

  test('a delegate with args of its own keeps them', async () => {
    using fake = new FakePlugin();
    await fake.wrap('ADD', { args: { cni: {} } }, { args: { own: 1 } });
    expect(fake.configurationGiven().args).toEqual({ own: 1 });
  });

  test('a secret reaches it, and no record', async () => {
    using fake = new FakePlugin(`echo "token=hunter2" >&2; ${answer({ ...result, password: 'hunter2' })}`);
    const given = await fake.wrap('ADD', { args: { apiKey: 'hunter2' } }, { password: 'hunter2' });
    expect(fake.configurationGiven()).toMatchObject({ password: 'hunter2', args: { apiKey: 'hunter2' } });
    expect(given.stderr).toBe('token=hunter2\n');
    const written = fake.text('journal.ndjson') + fake.text('cni_output.log');
    expect(written).toContain('[redacted]');
    expect(written).not.toContain('hunter2');
  });
});

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
    expect(del?.environment).toEqual({ ...add?.environment, CNI_COMMAND: 'DEL' });
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
    recordNamed(fake, given);
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
    const { delegates, findings } = recordNamed(fake, given);
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
    const { delegates, findings } = recordNamed(fake, given);
    expect(delegates).toMatchObject([{ command: 'ADD', failure: answered(given).msg }]);
    expect(findings).toEqual([]);
  });
});

describe('where the plugin is found', () => {
  test.each([
    ['a directory', (path: string) => mkdirSync(path), 'is a directory'],
    ['a broken link', (path: string) => symlinkSync('/nowhere', path), 'is a broken link to /nowhere'],
  ])('%s is named as what is there instead', async (_, make, what) => {
    using fake = new FakePlugin();
    make(`${fake.folder}/other`);
    const given = await fake.call('ADD', { delegate: { type: 'other' } });
    expect(answered(given).msg).toBe(
      `plugin "other" was not found in ${fake.folder} (CNI_PATH), but ${fake.folder}/other ${what}`,
    );
  });

  test('the first folder of CNI_PATH wins', async () => {
    using first = new FakePlugin();
    using second = new FakePlugin();
    const CNI_PATH = `/opt/none:${first.folder}:${second.folder}`;
    const given = await first.call('ADD', { delegate: { type: 'fake' } }, { CNI_PATH });
    expect(given.status).toBe(0);
    expect([first.commands(), second.commands()]).toEqual([['ADD'], []]);
  });

  test('a path is no type, and is refused before anything runs', async () => {
    using fake = new FakePlugin();
    const given = await fake.call('ADD', { delegate: { type: fake.path } });
    expect(answered(given)).toMatchObject({ code: 7 });
    expect(answered(given).msg).toContain('is not the name of a plugin');
    expect(fake.commands()).toEqual([]);
  });

  test('an empty CNI_PATH is said to be the reason', async () => {
    using fake = new FakePlugin();
    const given = await fake.call('ADD', { delegate: { type: 'fake' } }, { CNI_PATH: '' });
    expect(answered(given).msg).toBe('plugin "fake" cannot be searched for: CNI_PATH is empty');
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
    recordNamed(fake, given);
    expect(fake.commands()).toEqual([command]);
  });

  test.each(commands)('%s of a plugin that is not there fails', async (command) => {
    using fake = new FakePlugin();
    const given = await fake.call(command, { ...keys, delegate: { type: 'nowhere' } });
    expect(answered(given).msg).toBe(`plugin "nowhere" was not found in ${fake.folder} (CNI_PATH)`);
    recordNamed(fake, given);
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

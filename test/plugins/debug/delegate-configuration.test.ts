import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { answered, debug, prevResult, run } from '../../program.ts';
import { answer, FakePlugin, result } from './fake-plugin.ts';

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
    expect(fake.calls()[0]?.environment).toEqual({ ...environment, TRACEPARENT: expect.any(String) });
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

test('a secret that a plugin repeats where nothing tells what it is gets into no log and no message', async () => {
  const secrets = { token: 'open-sesame', variable: 'Hunter22', argument: 'qwertz-99' };
  const all = Object.values(secrets).join(' ');
  using fake = new FakePlugin(`echo "heard ${all}" >&2; echo '{"code": 77, "msg": "no ${all}"}'; exit 1`);
  const keys = { delegate: { type: 'fake', token: secrets.token } };
  const environment = { MY_TOKEN: secrets.variable, CNI_ARGS: `PASSWORD=${secrets.argument};K8S_POD_NAME=a` };
  const given = await fake.call('ADD', keys, environment);
  expect(answered(given).msg).toBe('no [redacted] [redacted] [redacted]');
  const written = given.stdout + fake.text('cni_output.log') + JSON.stringify(fake.records());
  expect(written).toContain('heard [redacted]');
  for (const secret of Object.values(secrets)) expect(written).not.toContain(secret);
});

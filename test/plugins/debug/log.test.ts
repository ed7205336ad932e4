import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { answered, DefaultLogs, debug, prevResult, programs, run, Scratch } from '../../program.ts';
import { requires } from '../../requirements.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

const kubelet =
  'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx;K8S_POD_UID=42;K8S_POD_INFRA_CONTAINER_ID=c1';

describe.each(programs)('%s', (_, argv) => {
  test('the text log has the layout that operators know, with the raw stdin', async () => {
    const stdin = scratch.configuration({ prevResult, odd: 'é', n: 1 }).replace('"n":1', '"n"  :\n\t1.0');
    const environment = scratch.environment('ADD', { CNI_ARGS: kubelet });
    const answer = await run(argv, { environment, stdin });
    const lines = readFileSync(scratch.log, 'utf8').split('\n');
    expect(lines.slice(0, 8)).toEqual([
      '',
      'CNI Command: ADD',
      'ContainerID: c1',
      'Netns: /run/netns/none',
      'IfName: eth0',
      `Args: ${kubelet}`,
      `Path: ${scratch.folder}`,
      `StdinData: ${stdin.replaceAll('\n', ' ')}`,
    ]);
    expect(lines[8]).toMatch(/^Time: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines[9]).toBe(`Result: ${JSON.stringify(answered(answer))}`);
    expect(lines[10]).toMatch(/^Duration: \d+\.\d ms$/);
    expect(lines.slice(11)).toEqual(['-----', '']);
  });

  test('the journal has one record of the call', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const capabilities = { portMappings: true };
    const variables = { CNI_ARGS: kubelet, TRACEPARENT: traceparent };
    await scratch.call('ADD', { prevResult, capabilities }, variables, argv);
    expect(scratch.records()).toEqual([
      expect.objectContaining({
        v: 1,
        kind: 'call',
        command: 'ADD',
        plugin: 'debug',
        network: 'net',
        cniVersion: '1.0.0',
        attachment: { containerID: 'c1', ifName: 'eth0', netns: '/run/netns/none' },
        pod: { namespace: 'default', name: 'nginx', uid: '42', infraContainerID: 'c1' },
        prevResult,
        capabilities,
        result: prevResult,
        traceparent,
        hooks: [],
        delegates: [],
        boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
        msg: 'ADD net eth0 default/nginx: 10.22.0.5/16',
      }),
    ]);
    const [record] = scratch.records();
    expect(record.environment).toMatchObject({ CNI_ARGS: kubelet, CNI_COMMAND: 'ADD' });
    expect(record.configuration).toMatchObject({ name: 'net', type: 'debug', cniOutput: scratch.log });
    expect(record.configuration.prevResult).toBeUndefined();
    expect(record.process).toMatchObject({
      ppid: process.pid,
      pid: expect.any(Number),
      parent: expect.any(String),
    });
    expect(record.duration).toBeGreaterThan(0);
    expect(record.steps).toContainEqual(expect.objectContaining({ name: 'check prevResult' }));
    expect(record.findings.map(({ rule }: { rule: string }) => rule)).toEqual(['namespace-unreadable']);
  });
});

test('an error stands in both logs', async () => {
  await scratch.call('ADD');
  expect(readFileSync(scratch.log, 'utf8')).toContain('\nError: code 7: prevResult: is missing.');
  expect(scratch.records()).toEqual([
    expect.objectContaining({ level: 50, error: expect.objectContaining({ code: 7 }) }),
  ]);
});

describe.if(requires('root'))('when stdin is no JSON, an error stands in both logs of the defaults', () => {
  test.each(programs)('%s', async (_, argv) => {
    using defaults = new DefaultLogs();
    const environment = defaults.environment('ADD');
    const answer = await run(defaults.command(argv), { environment, stdin: '{"name": token=hunter2' });
    const { code, msg } = answered(answer);
    expect(answer).toMatchObject({ status: 1, stderr: '' });
    expect(code).toBe(6);
    const text = readFileSync(defaults.log, 'utf8');
    expect(text).toStartWith('\nCNI Command: ADD\nContainerID: c1\n');
    expect(text).toContain('\nStdinData: {"name": token=[redacted]\n');
    expect(text).toContain(`\nError: code 6: ${msg}\n`);
    expect(defaults.records()).toEqual([
      expect.objectContaining({ kind: 'call', level: 50, command: 'ADD', error: { code, msg } }),
    ]);
    for (const path of [defaults.log, defaults.journal]) expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

test('DEL, CHECK, GC and STATUS are recorded', async () => {
  for (const command of ['DEL', 'CHECK', 'GC', 'STATUS'])
    await scratch.call(command, { cniVersion: '1.1.0' });
  expect(scratch.records().map(({ command }) => command)).toEqual(['DEL', 'CHECK', 'GC', 'STATUS']);
  expect(readFileSync(scratch.log, 'utf8')).toContain('CNI Command: DEL\n');
  expect(readFileSync(scratch.log, 'utf8')).toContain('\nResult: (none)\n');
});

test.each([
  ['ADD', 'CmdAdd'],
  ['DEL', 'CmdDel'],
  ['CHECK', 'CmdCheck'],
])('the layout "upstream" is that of the reference, byte for byte: %s', async (command, title) => {
  const stdin = `${scratch.configuration({ prevResult, textLayout: 'upstream' })}\n`;
  await run(debug, { environment: scratch.environment(command, { CNI_ARGS: kubelet }), stdin });
  expect(readFileSync(scratch.log, 'utf8')).toBe(
    `${title}\nContainerID: c1\nNetns: /run/netns/none\nIfName: eth0\nArgs: ${kubelet}\n` +
      `Path: ${scratch.folder}\nStdinData: ${stdin}\n----------------------\n`,
  );
});

test('bytes that are no UTF-8 come through as they were', async () => {
  const [before = '', after = ''] = scratch.configuration({ prevResult, odd: '@' }).split('@');
  const stdin = Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(after)]);
  await run(debug, { environment: scratch.environment('ADD'), stdin });
  expect(readFileSync(scratch.log).includes(stdin)).toBeTrue();
});

test('a line break in a value cannot forge a line', async () => {
  await scratch.call('ADD', { prevResult }, { CNI_ARGS: 'A=1\n-----\n\nCNI Command: DEL' });
  const text = readFileSync(scratch.log, 'utf8');
  expect(text).toContain('\nArgs: A=1 -----  CNI Command: DEL\n');
  expect(text.match(/^-----$/gm)).toHaveLength(1);
});

test('secrets are in no log, and the rest stays byte for byte', async () => {
  const keys = {
    prevResult,
    token: 'hunter2',
    nested: { apiKey: ['hunter2'] },
    note: 'Authorization: Bearer hunter2',
  };
  const variables = {
    CNI_ARGS: 'IgnoreUnknown=1;PASSWORD=hunter2',
    MY_TOKEN: 'hunter2',
    PWD: '/srv',
    SPECIAL: 'hunter3',
  };
  await scratch.call('ADD', { ...keys, redact: ['^special$'] }, variables);
  const both = readFileSync(scratch.log, 'utf8') + readFileSync(scratch.journal, 'utf8');
  expect(both).not.toContain('hunter');
  expect(readFileSync(scratch.log, 'utf8')).toContain('"token":"[redacted]"');
  expect(readFileSync(scratch.log, 'utf8')).toContain('Args: IgnoreUnknown=1;PASSWORD=[redacted]\n');
  expect(scratch.records()[0].environment).toMatchObject({
    MY_TOKEN: '[redacted]',
    PWD: '/srv',
    SPECIAL: '[redacted]',
  });
});

test('secrets in what is wrong are in the journal neither', async () => {
  const dns = { domain: { token: 'hunter2' } };
  const ips = [{ address: 'password=hunter2' }];
  const capabilities = { secret: 'hunter2' };
  await scratch.call('ADD', { prevResult: { ...prevResult, dns, ips }, capabilities });
  await scratch.call('ADD', { prevResult: { ...prevResult, dns, ips }, validate: 'warn' });
  expect(readFileSync(scratch.journal, 'utf8')).not.toContain('hunter2');
  expect(readFileSync(scratch.log, 'utf8')).not.toContain('hunter2');
});

test('CNI_ARGS that are no pairs are a finding', async () => {
  const answer = await scratch.call('ADD', { prevResult }, { CNI_ARGS: 'IgnoreUnknown=1;none' });
  expect(answer.status).toBe(0);
  expect(scratch.records()[0].findings).toContainEqual(
    expect.objectContaining({
      rule: 'malformed-args',
      message: 'CNI_ARGS: "none" is no pair of key and value',
    }),
  );
});

test('strictLog does not keep DEL and GC from removing', async () => {
  mkdirSync(scratch.log);
  for (const command of ['DEL', 'GC']) {
    const answer = await scratch.call(command, { cniVersion: '1.1.0', strictLog: true });
    expect(answer).toMatchObject({ status: 0, stderr: expect.stringContaining('is a directory') });
  }
});

test('files are for their owner alone', async () => {
  const journal = join(scratch.folder, 'made', 'journal.ndjson');
  await scratch.call('ADD', { prevResult, journal: { path: journal } });
  expect(statSync(scratch.log).mode & 0o777).toBe(0o600);
  expect(statSync(journal).mode & 0o777).toBe(0o600);
  expect(statSync(join(scratch.folder, 'made')).mode & 0o777).toBe(0o700);
});

test.each([[false], ['']])('cniOutput %j and journal false write nothing', async (cniOutput) => {
  const answer = await scratch.call('ADD', { prevResult, cniOutput, journal: false });
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(scratch.folder)).toEqual([]);
});

test('the text log is renamed to .1 before it outgrows its size, and no call is lost', async () => {
  for (let index = 0; index < 5; index += 1) {
    await scratch.call('ADD', { prevResult, cniOutputMaxSize: '2KB', index });
  }
  const files = [`${scratch.log}.1`, scratch.log].map((path) => readFileSync(path, 'utf8'));
  for (const file of files) {
    expect(file.length).toBeLessThanOrEqual(2048);
    expect(file).toStartWith('\nCNI Command: ADD\n');
    expect(file).toEndWith('\n-----\n');
  }
  expect(files[1]).toContain('"index":4');
});

test('64 calls at once on one log and one journal: none torn, lost or mixed, rotation included', async () => {
  const journal = { path: scratch.journal, maxSize: '40KB', maxFiles: 100 };
  const calls = Array.from({ length: 64 }, (_, index) =>
    scratch.call('ADD', { prevResult, journal, cniOutputMaxSize: '48KB' }, { CNI_CONTAINERID: `c${index}` }),
  );
  for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ status: 0, stderr: '' });

  const expected = calls.map((_, index) => `c${index}`).sort();
  const journals = readdirSync(scratch.folder).filter((name) => name.startsWith('journal'));
  expect(journals.length).toBeGreaterThan(2);
  const records = journals
    .flatMap((name) => readFileSync(join(scratch.folder, name), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line));
  expect(records.map(({ attachment }) => attachment.containerID).sort()).toEqual(expected);

  const logs = readdirSync(scratch.folder).filter((name) => name.startsWith('cni_output'));
  expect(logs).toHaveLength(2);
  const blocks = logs.flatMap((name) =>
    readFileSync(join(scratch.folder, name), 'utf8').split('-----\n').slice(0, -1),
  );
  expect(blocks.map((block) => /^\nCNI Command: ADD\nContainerID: (c\d+)\n/.exec(block)?.[1]).sort()).toEqual(
    expected,
  );
}, 60_000);

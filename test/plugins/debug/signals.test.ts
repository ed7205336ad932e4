import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { answered, DefaultLogs, debug, programs, run } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { isRunning } from '../../runtime/plugin-folder.ts';
import { FakePlugin } from './fake-plugin.ts';

/** Waits for ever, with a child of its own; says who it is when both are there. */
const waits = 'echo waiting >&2; sleep 60 & echo $! > "$d/child"; echo $$ > "$d/self"; : > "$d/ready"; wait';
/** The same, but only SIGKILL ends the two; it says when it has been asked to end. */
const holdsOut = `trap "" TERM; sleep 60 & echo $! > "$d/child"; trap ': > "$d/asked"' TERM
  echo $$ > "$d/self"; : > "$d/ready"; while :; do wait; done`;

/** A call that is sent signals while the delegate runs. */
async function interrupted(
  fake: FakePlugin,
  signals: NodeJS.Signals[],
  { command = 'ADD', argv = debug } = {},
) {
  let pid = 0;
  const started = (id: number) => {
    pid = id;
  };
  const stdin = fake.configuration({ delegate: { type: 'fake' } });
  const running = run(argv, { environment: fake.environment(command), stdin, started });
  await until(() => existsSync(`${fake.folder}/ready`));
  for (const [index, signal] of signals.entries()) {
    // Of signals that wait together, the kernel delivers the one with the lowest number first.
    if (index > 0) await until(() => existsSync(`${fake.folder}/asked`));
    process.kill(pid, signal);
  }
  const given = await running;
  return { given, pid, delegate: fake.number('self'), child: fake.number('child') };
}

const root = requires('root');

describe.each(programs)('%s', (_, argv) => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends the delegate and all that it started',
    async (signal) => {
      using fake = new FakePlugin(waits);
      const { given, delegate, child } = await interrupted(fake, [signal], { argv });
      expect(given).toMatchObject({ status: 1, stderr: 'waiting\n' });
      expect(answered(given)).toMatchObject({
        cniVersion: '1.0.0',
        code: 999,
        msg: `ADD was ended by ${signal}`,
      });
      expect([delegate, child].filter(isRunning)).toEqual([]);
      const [begin, call] = fake.records();
      expect(answered(given).details).toBe(`record ${begin.id} in ${fake.journal}`);
      expect(call).toMatchObject({
        ...{ kind: 'call', id: begin.id },
        error: { code: 999, msg: `ADD was ended by ${signal}` },
        delegates: [{ command: 'ADD', pid: delegate, signal: 'SIGTERM', stderr: 'waiting\n' }],
      });
      expect(fake.records()).toHaveLength(2);
      // The runtime that ended us sends the DEL.
      expect(fake.commands()).toEqual(['ADD']);
    },
  );

  test.if(root)('SIGTERM is answered while stdin is still open', async () => {
    using defaults = new DefaultLogs();
    const [command = '', ...args] = defaults.command(argv);
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...defaults.environment('ADD') } });
    // More than the kernel buffers: when all of it is gone, somebody reads.
    child.stdin.write(' '.repeat(1 << 20), () => child.kill('SIGTERM'));
    const [stdout, status] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      new Promise((resolve) => child.once('exit', resolve)),
    ]);
    expect(status).toBe(1);
    const answer = { cniVersion: '1.1.0', code: 999, msg: 'ADD was ended by SIGTERM' };
    expect(JSON.parse(stdout.join(''))).toEqual(answer);
    const { code, msg } = answer;
    expect(defaults.records()).toEqual([expect.objectContaining({ kind: 'call', error: { code, msg } })]);
  });
});

test('a second signal changes nothing: there is one answer, when the delegate is gone', async () => {
  using fake = new FakePlugin(holdsOut);
  const { given, delegate, child } = await interrupted(fake, ['SIGTERM', 'SIGINT', 'SIGTERM']);
  expect(given).toMatchObject({ status: 1, signal: null });
  expect(answered(given).msg).toBe('ADD was ended by SIGTERM');
  expect([delegate, child].filter(isRunning)).toEqual([]);
  expect(fake.records()[1].delegates).toMatchObject([
    { signal: 'SIGKILL', failure: expect.stringContaining('was ended with SIGKILL before it answered ADD') },
  ]);
}, 60_000);

test('what a built-in plugin of a list had added is removed', async () => {
  using fake = new FakePlugin(waits);
  let pid = 0;
  const started = (id: number) => {
    pid = id;
  };
  const dataDir = `${fake.folder}/leases`;
  const addresses = { type: 'host-local', ipam: { type: 'host-local', subnet: '10.27.0.0/24', dataDir } };
  const stdin = fake.configuration({ delegate: [addresses, { type: 'fake' }] });
  const running = run(debug, { environment: fake.environment('ADD'), stdin, started });
  await until(() => existsSync(`${fake.folder}/ready`));
  expect(existsSync(`${dataDir}/net/10.27.0.2`)).toBe(true);
  process.kill(pid, 'SIGTERM');
  expect(answered(await running)).toMatchObject({ code: 999, msg: 'ADD was ended by SIGTERM' });
  expect(existsSync(`${dataDir}/net/10.27.0.2`)).toBe(false);
  expect(fake.records()[1].delegates).toMatchObject([
    { type: 'host-local', command: 'ADD', inProcess: true },
    { type: 'fake', command: 'ADD', signal: 'SIGTERM' },
    { type: 'host-local', command: 'DEL', inProcess: true },
  ]);
});

test.each(['DEL', 'GC', 'STATUS'])('SIGTERM ends the delegate on %s, too', async (command) => {
  using fake = new FakePlugin(waits);
  const stdin = fake.configuration({ cniVersion: '1.1.0', delegate: { type: 'fake' } });
  const given = await run(debug, {
    environment: fake.environment(command),
    stdin,
    started: async (pid) => {
      await until(() => existsSync(`${fake.folder}/ready`));
      process.kill(pid, 'SIGTERM');
    },
  });
  expect(given.status).toBe(1);
  expect(answered(given)).toMatchObject({ code: 999, msg: `${command} was ended by SIGTERM` });
  expect([fake.number('self'), fake.number('child')].filter(isRunning)).toEqual([]);
});

test('SIGTERM during the DEL after a failed ADD ends that, and the first error stays the answer', async () => {
  using fake = new FakePlugin(`[ $CNI_COMMAND = DEL ] || exit 3\n${waits}`);
  const { given, delegate, child } = await interrupted(fake, ['SIGTERM']);
  expect(answered(given).msg).toContain('exited with status 3 on ADD');
  expect([delegate, child].filter(isRunning)).toEqual([]);
  const findings = fake.records()[1].findings.map(({ rule }: { rule: string }) => rule);
  expect(findings).toContain('undo-failed');
});

test('what the delegate answers to SIGTERM is recorded, and is not the answer', async () => {
  using fake = new FakePlugin(
    `trap 'echo "{\\"code\\":100,\\"msg\\":\\"bye\\"}"; kill $!; exit 1' TERM\n${waits}`,
  );
  const { given } = await interrupted(fake, ['SIGTERM']);
  expect(answered(given).msg).toBe('ADD was ended by SIGTERM');
  expect(fake.records()[1].delegates).toMatchObject([{ status: 1, stdout: '{"code":100,"msg":"bye"}\n' }]);
});

test('kill -9 while the delegate runs leaves a record of the beginning', async () => {
  using fake = new FakePlugin(waits);
  const { given, pid, delegate, child } = await interrupted(fake, ['SIGKILL']);
  process.kill(delegate, 'SIGKILL');
  process.kill(child, 'SIGKILL');
  expect(given).toMatchObject({ signal: 'SIGKILL', stdout: '' });
  expect(fake.records()).toMatchObject([
    {
      ...{ kind: 'begin', command: 'ADD', plugin: 'debug', network: 'net', process: { pid } },
      attachment: { containerID: 'c1', ifName: 'eth0', netns: '/run/netns/none' },
      configuration: { delegate: { type: 'fake' } },
      environment: { CNI_COMMAND: 'ADD' },
    },
  ]);
  await until(() => !isRunning(delegate) && !isRunning(child));
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 50_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${holds} did not come true`);
    await Bun.sleep(10);
  }
}

test.if(root)('what had been added when the signal came is removed', async () => {
  using fake = new FakePlugin();
  let pid = 0;
  const started = (id: number) => {
    pid = id;
  };
  // The hook runs in the namespace that we are in, and the delegate has answered before it does.
  const addHooks = [['sh', '-c', `: > ${fake.folder}/ready; sleep 60`]];
  const stdin = fake.configuration({ delegate: { type: 'fake' }, addHooks });
  const environment = fake.environment('ADD', { CNI_NETNS: '/proc/self/ns/net' });
  const running = run(debug, { environment, stdin, started });
  await until(() => existsSync(`${fake.folder}/ready`));
  process.kill(pid, 'SIGTERM');
  expect(answered(await running)).toMatchObject({ code: 999, msg: 'ADD was ended by SIGTERM' });
  expect(fake.commands()).toEqual(['ADD', 'DEL']);
});

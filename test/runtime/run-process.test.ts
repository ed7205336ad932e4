import { expect, test } from 'bun:test';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { drainMs, graceMs, ProcessGroup } from '../../src/runtime/process-group.ts';
import { outputLimit, type ProcessRequest, runProcess } from '../../src/runtime/run-process.ts';
import { isRunning, PluginFolder } from './plugin-folder.ts';

const environment = { PATH: process.env.PATH };

function shell(script: string, rest: Partial<ProcessRequest> = {}) {
  return runProcess({ command: '/bin/sh', args: ['-c', script], environment, timeoutMs: 20_000, ...rest });
}

test('stdin, stdout, stderr and status', async () => {
  const outcome = await shell('cat; echo err >&2; exit 3', { stdin: 'in' });
  expect(outcome).toMatchObject({ status: 3 });
  expect(outcome).not.toHaveProperty('signal');
  expect(outcome.stdout.bytes.toString()).toBe('in');
  expect(outcome.stderr.bytes.toString()).toBe('err\n');
  expect(outcome.durationMs).toBeWithin(0.1, 10_000);
});

test('the environment is what was given and nothing else', async () => {
  const { stdout } = await runProcess({ command: '/usr/bin/env', environment: { A: 'b' }, timeoutMs: 5000 });
  expect(stdout.bytes.toString()).toBe('A=b\n');
});

test('stdin can be opened again, as shell plugins do', async () => {
  const { stdout } = await shell('config=$(cat /dev/stdin); echo "$config"', { stdin: '{"name":"net"}' });
  expect(stdout.bytes.toString()).toBe('{"name":"net"}\n');
});

test('stdout and stderr can be opened again, as shell plugins do', async () => {
  const { stdout, stderr } = await shell('echo a; echo b > /dev/stdout; echo c > /dev/stderr; echo d >&2');
  expect(stdout.bytes.toString()).toBe('a\nb\n');
  expect(stderr.bytes.toString()).toBe('c\nd\n');
});

test('without stdin the process finds it at its end', async () => {
  expect(await shell('cat')).toMatchObject({ status: 0, stdout: { length: 0 } });
});

test('a process need not read its stdin', async () => {
  const stdin = Buffer.alloc(5_000_000, 'x');
  expect(await shell('exit 0', { stdin })).toMatchObject({ status: 0 });
  expect((await shell('cat', { stdin })).stdout.length).toBe(5_000_000);
});

test('the signal that killed it', async () => {
  const outcome = await shell('kill -SEGV $$');
  expect(outcome).toMatchObject({ signal: 'SIGSEGV' });
  expect(outcome).not.toHaveProperty('status');
  expect(outcome).not.toHaveProperty('ended');
});

test('it is started before runProcess returns', async () => {
  const running = shell('sleep 0.3');
  const children = readdirSync('/proc').filter((entry) => parentOf(entry) === process.pid);
  expect(children).toContain(String((await running).pid));
});

function parentOf(entry: string): number | undefined {
  if (!/^\d+$/.test(entry)) return undefined;
  try {
    return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

test('more output than is kept is counted, and does not stop the process', async () => {
  const { status, stdout, stderr } = await shell(`head -c ${outputLimit + 12_345} /dev/zero; echo end >&2`);
  expect(status).toBe(0);
  expect(stdout.bytes.length).toBe(outputLimit);
  expect(stdout.length).toBe(outputLimit + 12_345);
  expect(stderr.bytes.toString()).toBe('end\n');
});

test('at the deadline the whole group gets SIGTERM', async () => {
  const outcome = await shell('sleep 30 & echo $!; wait', { timeoutMs: 200 });
  expect(outcome).toMatchObject({ signal: 'SIGTERM', ended: { because: 'timeout', with: 'SIGTERM' } });
  expect(outcome.durationMs).toBeWithin(190, 10_000);
  await expectGone(outcome.pid, Number(outcome.stdout.bytes.toString()));
});

test('what it answers to SIGTERM is kept', async () => {
  const outcome = await shell('trap "echo bye; exit 4" TERM; sleep 30 & wait', { timeoutMs: 200 });
  expect(outcome).toMatchObject({ status: 4, ended: { because: 'timeout', with: 'SIGTERM' } });
  expect(outcome.stdout.bytes.toString()).toBe('bye\n');
});

test('who ignores SIGTERM gets SIGKILL', async () => {
  const outcome = await shell('trap "" TERM; sleep 30 & echo $!; while :; do wait; done', { timeoutMs: 200 });
  expect(outcome).toMatchObject({ signal: 'SIGKILL', ended: { because: 'timeout', with: 'SIGKILL' } });
  expect(outcome.durationMs).toBeWithin(2100, 10_000);
  await expectGone(outcome.pid, Number(outcome.stdout.bytes.toString()));
}, 10_000);

test('who outlives a leader that was ended is ended, too', async () => {
  const outcome = await shell('(trap "" TERM; exec >/dev/null 2>&1; sleep 30) & echo $!; wait', {
    timeoutMs: 200,
  });
  expect(outcome).toMatchObject({ ended: { because: 'timeout', with: 'SIGTERM' } });
  await expectGone(outcome.pid, Number(outcome.stdout.bytes.toString()));
}, 10_000);

test('a leader whose end is never seen is given up', async () => {
  const child = Bun.spawn(['/bin/sleep', '30'], { detached: true });
  const startedAt = performance.now();
  const group = await new Promise<ProcessGroup>((resolve) => {
    const started: ProcessGroup = new ProcessGroup(child.pid, 10, undefined, () => resolve(started));
  });
  expect(performance.now() - startedAt).toBeWithin(graceMs + drainMs, 15_000);
  expect(group.ended).toEqual({ because: 'timeout', with: 'SIGKILL' });
}, 20_000);

test('an abort ends it in the same way', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 200);
  const outcome = await shell('sleep 30 & echo $!; wait', { signal: controller.signal });
  expect(outcome).toMatchObject({ signal: 'SIGTERM', ended: { because: 'abort', with: 'SIGTERM' } });
  await expectGone(outcome.pid, Number(outcome.stdout.bytes.toString()));
  expect(await shell('exit 0', { signal: controller.signal })).toMatchObject({ failedToStart: 'ECANCELED' });
});

test('a grandchild that holds the pipes delays nothing for long, and lives on', async () => {
  const startedAt = performance.now();
  const outcome = await shell('sleep 30 & echo $!', { stdin: 'x' });
  expect(performance.now() - startedAt).toBeWithin(900, 10_000);
  expect(outcome).toMatchObject({ status: 0 });
  expect(outcome).not.toHaveProperty('ended');
  const grandchild = Number(outcome.stdout.bytes.toString());
  expect(isRunning(grandchild)).toBe(true);
  process.kill(grandchild, 'SIGKILL');
});

test('a grandchild that holds the pipes does not keep the event loop alive', async () => {
  const module = new URL('../../src/runtime/run-process.ts', import.meta.url).pathname;
  const script = `const { runProcess } = require('${module}');
    runProcess({ command: '/bin/sh', args: ['-c', 'sleep 30 & echo $!'], environment: {}, timeoutMs: 9000 })
      .then((outcome) => console.log(outcome.stdout.bytes.toString()));`;
  const startedAt = performance.now();
  const { status, stdout } = await runProcess({
    command: process.execPath,
    args: ['-e', script],
    environment: process.env,
    timeoutMs: 15_000,
  });
  process.kill(Number(stdout.bytes.toString()), 'SIGKILL');
  expect(status).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
}, 20_000);

test.each([
  ['a file that is not there', undefined, 'ENOENT'],
  ['a script without its interpreter', '#!/nowhere/sh\n', 'ENOENT'],
  ['a file without #!', 'echo hello\n', 'ENOEXEC'],
  ['an empty file', '', 'ENOEXEC'],
])('%s fails to start', async (_, content, errno) => {
  using folder = new PluginFolder();
  if (content !== undefined) folder.file('plugin', content);
  const outcome = await runProcess({ command: `${folder.path}/plugin`, environment, timeoutMs: 5000 });
  expect(outcome).toMatchObject({ failedToStart: errno });
  expect(outcome).not.toHaveProperty('pid');
});

test('a file without the execute bit, and one that is open for writing, fail to start', async () => {
  using folder = new PluginFolder();
  const plain = folder.file('plain', '#!/bin/sh\n', 0o644);
  expect(await runProcess({ command: plain, environment, timeoutMs: 5000 })).toMatchObject({
    failedToStart: 'EACCES',
  });
  const busy = folder.script('busy', 'exit 0');
  const file = openSync(busy, 'r+');
  const outcome = await runProcess({ command: busy, environment, stdin: 'x', timeoutMs: 5000 });
  closeSync(file);
  expect(outcome).toMatchObject({ failedToStart: 'ETXTBSY' });
});

test('no descriptor is left open', async () => {
  const count = () => readdirSync('/proc/self/fd').length;
  await shell('exit 0', { stdin: 'x' });
  await Bun.sleep(50);
  const before = count();
  await Promise.all(Array.from({ length: 20 }, () => shell('cat; exit 1', { stdin: 'hello' })));
  await runProcess({ command: '/nowhere/plugin', environment, stdin: 'x', timeoutMs: 5000 });
  await Bun.sleep(50);
  expect(count()).toBeLessThanOrEqual(before);
});

/** Killed processes are reaped by init, soon. */
async function expectGone(...pids: (number | undefined)[]): Promise<void> {
  const deadline = performance.now() + 1000;
  const remaining = () => pids.filter((pid) => pid === undefined || !(pid > 1) || isRunning(pid));
  while (remaining().length > 0 && performance.now() < deadline) await Bun.sleep(10);
  expect(remaining()).toEqual([]);
}

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { LockTimeoutError, lockFile } from '../../src/kernel/file-lock.ts';
import { SystemError } from '../../src/kernel/system-error.ts';
import { scratchFolder } from './scratch.ts';

let folder: ReturnType<typeof scratchFolder>;
let path: string;
let holder: ChildProcess | undefined;
const open: number[] = [];

beforeEach(() => {
  folder = scratchFolder();
  path = `${folder.path}/lock`;
  writeFileSync(path, '');
});
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
  holder?.kill('SIGKILL');
  holder = undefined;
  folder.remove();
});

function opened(): number {
  const fd = openSync(path, 'r');
  open.push(fd);
  return fd;
}

/** A process that has the lock when this answers, and lets go of it after some seconds. */
async function holdElsewhere(seconds: string): Promise<number> {
  holder = spawn('flock', ['--no-fork', path, 'sh', '-c', `echo held; exec sleep ${seconds}`]);
  await new Promise((resolve) => holder?.stdout?.once('data', resolve));
  return holder.pid!;
}

function failure(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('a free lock is taken at once, and again by who has it', () => {
  const fd = opened();
  lockFile(fd, { path, timeoutMs: 0 });
  lockFile(fd, { path, timeoutMs: 0 });
});

test('closing the file releases the lock', () => {
  const first = openSync(path, 'r');
  lockFile(first, { path, timeoutMs: 0 });
  const second = opened();
  expect(() => lockFile(second, { path, timeoutMs: 0 })).toThrow(LockTimeoutError);
  closeSync(first);
  lockFile(second, { path, timeoutMs: 0 });
});

test('another process is named when the time is over', async () => {
  const pid = await holdElsewhere('30');
  await Bun.sleep(50);
  const fd = opened();
  const start = performance.now();
  const error = failure(() => lockFile(fd, { path, timeoutMs: 150 }));
  expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  expect(error).toMatchObject({
    name: 'LockTimeoutError',
    path,
    timeoutMs: 150,
    holders: [{ pid, command: 'sleep' }],
    message: `lock "${path}": still held by pid ${pid} (sleep) after 150 ms`,
  });
});

test('the lock is taken when the other process ends', async () => {
  await holdElsewhere('0.2');
  const start = performance.now();
  lockFile(opened(), { path, timeoutMs: 20_000 });
  expect(performance.now() - start).toBeGreaterThan(50);
});

test('one who waits for the lock is not taken for its holder', async () => {
  const pid = await holdElsewhere('30');
  const waiting = spawn('flock', [path, 'true']);
  try {
    await Bun.sleep(200);
    const fd = opened();
    const error = failure(() => lockFile(fd, { path, timeoutMs: 0 })) as LockTimeoutError;
    expect(error.holders.map((each) => each.pid)).toEqual([pid]);
  } finally {
    waiting.kill('SIGKILL');
  }
});

test('a lock that a child has inherited is named by the process that took it', async () => {
  // flock(1) takes the lock and forks; then only the child is left to hold it.
  holder = spawn('sh', ['-c', `exec 9<${path}; flock 9; sleep 30 & echo $!; exec 9<&-`]);
  const child = await new Promise<number>((resolve) =>
    holder?.stdout?.once('data', (data) => resolve(Number(data))),
  );
  try {
    await Bun.sleep(200);
    const fd = opened();
    const error = failure(() => lockFile(fd, { path, timeoutMs: 0 })) as LockTimeoutError;
    expect(error.message).toMatch(/still held by pid \d+ \(ended; a child of it may hold it\) after 0 ms/);
  } finally {
    process.kill(child, 'SIGKILL');
  }
});

test('other errors are not waited for', () => {
  const start = performance.now();
  const error = failure(() => lockFile(987_654, { path, timeoutMs: 5000 }));
  expect(error).toBeInstanceOf(SystemError);
  expect(error).toMatchObject({ message: `flock "${path}": Bad file descriptor (EBADF)` });
  expect(performance.now() - start).toBeLessThan(1000);
});

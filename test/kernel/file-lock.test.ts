import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
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

/** A process `cat` that has the lock when this answers, until it is killed or we end. */
async function holdElsewhere(): Promise<number> {
  holder = spawn('flock', ['--no-fork', path, 'cat']);
  holder.stdin?.write('held');
  await new Promise((resolve) => holder?.stdout?.once('data', resolve));
  return holder.pid!;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(5);
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

test('a shared lock is had by several, and keeps away whoever wants it alone', () => {
  const [first, second] = [openSync(path, 'r'), opened()];
  lockFile(first, { path, timeoutMs: 0, isShared: true });
  lockFile(second, { path, timeoutMs: 0, isShared: true });
  const third = opened();
  const message = `lock "${path}": still held by pid ${process.pid} (`;
  expect(() => lockFile(third, { path, timeoutMs: 0 })).toThrow(message);
  // Nor may one of them have it alone, as long as there is another.
  expect(() => lockFile(second, { path, timeoutMs: 0 })).toThrow(LockTimeoutError);
  closeSync(first);
  lockFile(second, { path, timeoutMs: 0 });
  expect(() => lockFile(third, { path, timeoutMs: 0, isShared: true })).toThrow(message);
});

test('another process is named when the time is over', async () => {
  const pid = await holdElsewhere();
  const fd = opened();
  const start = performance.now();
  const error = failure(() => lockFile(fd, { path, timeoutMs: 150 }));
  expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  expect(error).toMatchObject({
    name: 'LockTimeoutError',
    path,
    timeoutMs: 150,
    holders: [{ pid, command: 'cat' }],
    message: `lock "${path}": still held by pid ${pid} (cat) after 150 ms`,
  });
});

test('the lock is taken when the other process ends', async () => {
  const pid = await holdElsewhere();
  const fd = opened();
  expect(() => lockFile(fd, { path, timeoutMs: 0 })).toThrow(LockTimeoutError);
  // Not by a timer of ours, because waiting for a lock is synchronous.
  spawn('sh', ['-c', `sleep 0.2; kill ${pid}`]);
  lockFile(fd, { path, timeoutMs: 50_000 });
});

test('one who waits for the lock is not taken for its holder', async () => {
  const pid = await holdElsewhere();
  const waiting = spawn('flock', [path, 'true']);
  try {
    const line = new RegExp(`-> FLOCK .* ${waiting.pid} `);
    await until(() => line.test(readFileSync('/proc/locks', 'latin1')));
    const fd = opened();
    const error = failure(() => lockFile(fd, { path, timeoutMs: 0 })) as LockTimeoutError;
    expect(error.holders.map((each) => each.pid)).toEqual([pid]);
  } finally {
    waiting.kill('SIGKILL');
  }
});

test('a lock that a child has inherited is named by the process that took it', async () => {
  // flock(1) takes the lock and ends, and so does the shell; then only its child is left to hold it.
  holder = spawn('sh', ['-c', `exec 9<${path}; flock 9; sleep 300 & echo $!`]);
  const ended = new Promise((resolve) => holder?.once('exit', resolve));
  const child = await new Promise<number>((resolve) =>
    holder?.stdout?.once('data', (data) => resolve(Number(data))),
  );
  try {
    await ended;
    const fd = opened();
    const error = failure(() => lockFile(fd, { path, timeoutMs: 0 })) as LockTimeoutError;
    expect(error.message).toMatch(/still held by pid \d+ \(ended; a child of it may hold it\) after 0 ms/);
  } finally {
    process.kill(child, 'SIGKILL');
  }
});

test('other errors are not waited for', () => {
  const start = performance.now();
  const error = failure(() => lockFile(987_654, { path, timeoutMs: 40_000 }));
  expect(error).toBeInstanceOf(SystemError);
  expect(error).toMatchObject({ message: `flock "${path}": Bad file descriptor (EBADF)` });
  expect(performance.now() - start).toBeLessThan(20_000);
});

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { containerdTasks } from '../../src/runtime/containerd-tasks.ts';
import { scratchFolder } from '../kernel/scratch.ts';

let scratch: ReturnType<typeof scratchFolder>;
let run: string;

beforeEach(() => {
  scratch = scratchFolder();
  run = `${scratch.path}/run`;
});
afterEach(() => scratch.remove());

const state = 'containerd/io.containerd.runtime.v2.task';

/** The folder of a task, as the shim makes it. */
function task(id: string, pid: number | string = process.pid, folder = `${state}/default`): string {
  const path = `${run}/${folder}/${id}`;
  mkdirSync(`${path}/rootfs`, { recursive: true });
  writeFileSync(`${path}/init.pid`, String(pid));
  return path;
}

const found = () => containerdTasks(run).map(({ id, namespace, pid }) => [namespace, id, pid].join(' '));

test('the tasks of every containerd, in all of its namespaces', () => {
  task('one');
  task('pod', process.pid, `${state}/k8s.io`);
  task('old', process.pid, 'containerd/io.containerd.runtime.v1.linux/default');
  task('k3s', process.pid, 'k3s/containerd/io.containerd.runtime.v2.task/k8s.io');
  task('docker', process.pid, 'docker/containerd/daemon/io.containerd.runtime.v2.task/moby');
  expect(found().sort()).toEqual([
    `default old ${process.pid}`,
    `default one ${process.pid}`,
    `k8s.io k3s ${process.pid}`,
    `k8s.io pod ${process.pid}`,
    `moby docker ${process.pid}`,
  ]);
});

test('where there is nothing, there is none', () => {
  expect(found()).toEqual([]);
  mkdirSync(`${run}/${state}`, { recursive: true });
  expect(found()).toEqual([]);
  writeFileSync(`${run}/${state}/file`, '');
  expect(found()).toEqual([]);
});

test('one that begins, or whose first process has no number, is none yet', () => {
  rmSync(`${task('starts')}/init.pid`);
  for (const text of ['', '0', '-1', 'x', '1.5', '99999999']) task(`of-${text}`, text);
  task('runs', `${process.pid}\n`);
  expect(found()).toEqual([`default runs ${process.pid}`]);
});

test('one that has ended is none any more, also while nobody has waited for it', async () => {
  const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 10'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [zombie] = await once(child.stdout, 'data');
    task('runs', child.pid);
    task('ended', String(zombie));
    while (found().length > 1) await Bun.sleep(5);
    expect(found()).toEqual([`default runs ${child.pid}`]);
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'exit');
  expect(found()).toEqual([]);
});

test('a number that another process has got since then is not its', () => {
  const path = `${task('killed')}/init.pid`;
  utimesSync(path, new Date(), new Date(Date.now() - performance.now() - 60_000));
  expect(found()).toEqual([]);
});

test('links are not followed', () => {
  task('one', process.pid, '../elsewhere/io.containerd.runtime.v2.task/default');
  symlinkSync('../elsewhere', `${run}/containerd`);
  symlinkSync('..', `${run}/loop`);
  expect(found()).toEqual([]);
});

test('a node with many containers, and much else in /run, is looked through at once', () => {
  for (let index = 0; index < 500; index += 1) {
    task(`c${index}`, process.pid, `${state}/k8s.io`);
    for (const folder of ['containerd/runc/k8s.io', 'user/1000/x', 'systemd/units', 'a/b/c/d/e'])
      mkdirSync(`${run}/${folder}/${index}/more/still`, { recursive: true });
  }
  const startedAt = performance.now();
  expect(found()).toHaveLength(500);
  // 30 ms, on a machine with nothing else to do.
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(containerdTasks(run, 'c12').map(({ id }) => id)).toHaveLength(11);
});

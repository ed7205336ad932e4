import { describe, expect, test } from 'bun:test';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { containerIDOf, journalLine, type MadeRecord } from '../trace/journal-lines.ts';
import { cniDebug, environment, folder, pod, withScenes } from './logged.ts';

withScenes();

describe('following', () => {
  /** `logs -f` with what it has printed. */
  class Following {
    readonly process: ChildProcess;
    text = '';

    constructor(words: readonly string[]) {
      const env = { PATH: process.env.PATH, ...environment };
      this.process = spawn(cniDebug, ['logs', '-f', ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      this.process.stdout?.on('data', (chunk) => (this.text += chunk));
    }

    /** The pods that there are calls of, once there are so many. */
    async pods(count: number): Promise<(string | undefined)[]> {
      const found = () => [...this.text.matchAll(/default\/(\S+)/g)].map(([, name]) => name);
      for (const end = Date.now() + 10_000; found().length < count && Date.now() < end; ) await Bun.sleep(20);
      return found();
    }

    async end(signal: NodeJS.Signals): Promise<number | null> {
      const exit = once(this.process, 'exit');
      this.process.kill(signal);
      return (await exit)[0];
    }

    [Symbol.dispose](): void {
      this.process.kill('SIGKILL');
    }
  }

  let count = 0;
  const path = () => join(folder, `followed-${count}.ndjson`);
  let written = 0;
  const write = (name: string, made: MadeRecord = {}) => {
    written += 1;
    appendFileSync(path(), `${journalLine(written, { ...made, pod: pod(name) })}\n`);
  };

  test('the last ten, then all that comes, through renaming and compressing', async () => {
    count += 1;
    for (let number = 0; number < 12; number += 1) write(`old${number}`);
    using following = new Following([path()]);
    expect(await following.pods(10)).toEqual(Array.from({ length: 10 }, (_, index) => `old${index + 2}`));
    write('a');
    await following.pods(11);
    write('b');
    renameSync(path(), `${path()}.1`);
    execFileSync('gzip', [`${path()}.1`]);
    write('c');
    renameSync(`${path()}.1.gz`, `${path()}.2.gz`);
    renameSync(path(), `${path()}.1`);
    write('d');
    expect((await following.pods(14)).slice(10)).toEqual(['a', 'b', 'c', 'd']);
    expect(await following.end('SIGINT')).toBe(0);
  });

  test('one that is made later, and only what is asked for', async () => {
    count += 1;
    using following = new Following(['--container', containerIDOf(8), path()]);
    await Bun.sleep(300);
    write('other');
    write('mine', { containerID: containerIDOf(8) });
    expect(await following.pods(1)).toEqual(['mine']);
    expect(await following.end('SIGTERM')).toBe(128 + 15);
  });

  test('a call that takes its time runs, then ends; one that is killed never does', async () => {
    count += 1;
    write('before');
    const sleeper = spawn('sleep', ['60']);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const more = { boot, process: { pid: sleeper.pid, ppid: 1, parent: 'containerd' } };
    const begin = (name: string, id: string, made = more) =>
      write(name, { kind: 'begin', id, startedAt: new Date(), more: made });
    using following = new Following([path()]);
    await following.pods(1);
    begin('quick', 'aa');
    write('quick', { id: 'aa' });
    begin('slow', 'bb');
    expect(await following.pods(3)).toEqual(['before', 'quick', 'slow']);
    expect(following.text).toMatch(
      /default\/slow eth0 lab running\n {4}process \d+, which containerd had started\n$/,
    );
    write('slow', { id: 'bb' });
    await following.pods(4);
    begin('killed', 'cc');
    await following.pods(5);
    expect(following.text).toMatch(/default\/killed eth0 lab running\n.*\n$/);
    sleeper.kill('SIGKILL');
    expect((await following.pods(6)).slice(3)).toEqual(['slow', 'killed', 'killed']);
    expect(following.text).toMatch(
      /default\/killed eth0 lab never ended\n {4}process \d+.* is gone without a word\n$/,
    );
    expect(await following.end('SIGINT')).toBe(0);
  });
});

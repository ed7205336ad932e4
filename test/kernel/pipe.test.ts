import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { openPipe } from '../../src/kernel/pipe.ts';

/** What is there to be read; the name of the error where that would wait. */
function readNow(fd: number): string {
  const buffer = Buffer.alloc(64);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

test('what is written at one end is read at the other, which never waits', () => {
  const { reader, writer } = openPipe();
  expect(readNow(reader)).toBe('EAGAIN');
  writeSync(writer, 'hello');
  expect(readNow(reader)).toBe('hello');
  closeSync(writer);
  expect(readNow(reader)).toBe('');
  closeSync(reader);
});

test('the end to write to waits, and neither is for the processes that are started meanwhile', () => {
  const { reader, writer } = openPipe();
  const flags = (fd: number) =>
    Number.parseInt(/flags:\t(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
  const [O_NONBLOCK, O_CLOEXEC] = [0o4000, 0o2000000];
  expect(flags(writer) & O_NONBLOCK).toBe(0);
  expect([reader, writer].map((fd) => flags(fd) & O_CLOEXEC)).toEqual([O_CLOEXEC, O_CLOEXEC]);
  const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  const name = /pipe:\[\d+\]/.exec(
    spawnSync('readlink', [`/proc/${process.pid}/fd/${reader}`], { encoding: 'utf8' }).stdout,
  )?.[0];
  expect(name).toBeDefined();
  expect(stdout).not.toContain(name ?? '');
  for (const fd of [reader, writer]) closeSync(fd);
});

import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { appendRecord, checkLogFile, LogFileError } from '../../src/trace/log-file.ts';
import { requires } from '../requirements.ts';
import { contents, fixture, folder, log, type Options, useLogFolder } from './log-folder.ts';

const unlimited = { maxSize: 1e9, maxFiles: 2 };
useLogFolder();

/** The error of both ways to open the log, which must not differ. */
function refusal(path: string): string {
  const errors = [() => appendRecord(path, 'x\n', unlimited), () => checkLogFile(path)].map((action) => {
    try {
      action();
    } catch (error) {
      expect(error).toBeInstanceOf(LogFileError);
      return (error as LogFileError).message;
    }
    return 'nothing was refused';
  });
  expect(errors[0]).toBe(errors[1]!);
  return errors[0]!;
}

describe('what is refused', () => {
  test('a link, also one to nowhere', () => {
    writeFileSync(`${folder}/victim`, 'untouched');
    symlinkSync(`${folder}/victim`, log);
    expect(refusal(log)).toBe(
      `log "${log}": is a symbolic link, not a regular file; remove it, or name another file in the configuration, or none`,
    );
    expect(contents(`${folder}/victim`)).toBe('untouched');
    symlinkSync(`${folder}/nowhere`, `${folder}/dangling`);
    expect(refusal(`${folder}/dangling`)).toContain('is a symbolic link');
    expect(readdirSync(folder).sort()).toEqual(['dangling', 'log', 'victim']);
  });

  test('a file with a second link', () => {
    writeFileSync(`${folder}/victim`, 'untouched');
    linkSync(`${folder}/victim`, log);
    expect(refusal(log)).toContain("has 2 hard links, so it may be another's file; remove it");
    expect(contents(log)).toBe('untouched');
  });

  test('a directory and a device', () => {
    mkdirSync(log);
    expect(refusal(log)).toContain('is a directory, not a regular file; name another file');
    expect(refusal('/dev/null')).toContain('is a device, not a regular file; name another file');
  });

  test('a named pipe, whether somebody reads it or not', () => {
    Bun.spawnSync(['mkfifo', log]);
    expect(refusal(log)).toContain('is a named pipe');
    const reader = openSync(log, 'r+');
    expect(refusal(log)).toContain('is a named pipe');
    closeSync(reader);
  });

  test('a socket', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(log, listening));
    expect(refusal(log)).toContain('is a socket');
    server.close();
  });

  test('a path whose folder is missing, or is a file', () => {
    expect(refusal(`${folder}/a/log`)).toContain(
      'open: No such file or directory (ENOENT); make its folder, or',
    );
    writeFileSync(log, '');
    expect(refusal(`${log}/x`)).toContain('Not a directory (ENOTDIR)');
    expect(refusal(`${folder}/${'x'.repeat(300)}`)).toContain('File name too long (ENAMETOOLONG)');
  });
});

/** The fixture in a process of its own, started by the command that `before` is. */
function run(options: Options, before: string[] = []): { code: string; message: string; note: string }[] {
  const argument = JSON.stringify({ writer: 0, count: 1, maxSize: 1e9, maxFiles: 2, ...options });
  const { stdout } = Bun.spawnSync([...before, process.execPath, '--no-install', fixture, argument], {
    env: { PATH: process.env.PATH ?? '' },
  });
  return stdout
    .toString()
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe.if(requires('root'))('as root, and as nobody', () => {
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

  test("another user's file is refused", () => {
    writeFileSync(log, 'theirs');
    chownSync(log, 65534, 65534);
    expect(refusal(log)).toContain('belongs to user 65534, not to 0; remove it');
    expect(contents(log)).toBe('theirs');
  });

  test("root's file and root's folder are refused for another user", () => {
    chmodSync(folder, 0o755);
    const [missing] = run({ path: log }, asNobody);
    expect(missing).toMatchObject({ name: 'LogFileError', code: 'EACCES' });
    expect(missing?.message).toContain('open: Permission denied (EACCES); let user 65534 write there, or');
    writeFileSync(log, '', { mode: 0o666 });
    expect(run({ path: log, check: true }, asNobody).map(({ message }) => message)).toEqual(
      Array(2).fill(expect.stringContaining('belongs to user 0, not to 65534')),
    );
  });

  test('a full disk takes whole records only, and is noticed', () => {
    const disk = `mount -t tmpfs -o size=64k tmpfs ${folder} && "$@" && cat ${log} >&2`;
    const argument = JSON.stringify({
      path: log,
      writer: 0,
      count: 70,
      length: 1000,
      maxSize: 1e9,
      maxFiles: 2,
      check: true,
    });
    const { stdout, stderr } = Bun.spawnSync(
      ['unshare', '-m', 'sh', '-c', disk, 'sh', process.execPath, '--no-install', fixture, argument],
      { env: { PATH: process.env.PATH ?? '' } },
    );
    const records = stderr.toString().split('\n');
    expect(records.pop()).toBe('');
    expect(records.length).toBeGreaterThan(50);
    expect(records.map((line) => JSON.parse(line).number)).toEqual(records.map((_, index) => index));
    const errors = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(errors).toHaveLength(70 - records.length + 1);
    for (const error of errors) expect(error).toMatchObject({ name: 'LogFileError', code: 'ENOSPC' });
    expect(errors[0].message).toMatch(
      /has space for \d+ of the \d+ bytes of a record: No space left on device \(ENOSPC\)/,
    );
    expect(errors.at(-1).message).toContain('is on a full disk');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a read-only disk is refused', () => {
    const disk = `mount -t tmpfs -o ro tmpfs ${folder} && "$@"`;
    const [error] = run({ path: log }, ['unshare', '-m', 'sh', '-c', disk, 'sh']);
    expect(error?.message).toContain('open: Read-only file system (EROFS); mount it writable, or');
  });
});

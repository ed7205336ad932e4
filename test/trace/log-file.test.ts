import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { lockFile } from '../../src/kernel/file-lock.ts';
import { appendRecord, checkLogFile, LogFileError } from '../../src/trace/log-file.ts';
import { requires } from '../requirements.ts';

const unlimited = { maxSize: 1e9, maxFiles: 2 };
let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync('/tmp/log-file-test-');
  log = `${folder}/log`;
});

afterEach(() => rmSync(folder, { recursive: true }));

const contents = (path: string): string => readFileSync(path, 'utf8');
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

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

describe('appendRecord', () => {
  test('makes the file for us alone, and appends text and bytes', () => {
    expect(appendRecord(log, 'é\n', unlimited)).toBeUndefined();
    appendRecord(log, Uint8Array.of(0xff, 0x00, 0x0a), unlimited);
    expect(readFileSync(log)).toEqual(Buffer.from('c3a90aff000a', 'hex'));
    expect(modeOf(log)).toBe('600');
  });

  test('makes missing folders when asked to, the last one for us alone', () => {
    appendRecord(`${folder}/a/b/log`, 'x\n', { ...unlimited, makeFolder: true });
    expect(contents(`${folder}/a/b/log`)).toBe('x\n');
    expect([modeOf(`${folder}/a/b`), modeOf(`${folder}/a`)]).toEqual(['700', '755']);
  });

  test('keeps the files that it is told to, each no larger than it is told to', () => {
    for (let number = 1; number <= 9; number += 1)
      appendRecord(log, `${number}\n`, { maxSize: 5, maxFiles: 3 });
    expect(readdirSync(folder).sort()).toEqual(['log', 'log.1', 'log.2']);
    expect([log, `${log}.1`, `${log}.2`].map(contents)).toEqual(['9\n', '7\n8\n', '5\n6\n']);
  });

  test('starts over when only one file is kept', () => {
    for (const record of ['1\n', '2\n', '3\n']) appendRecord(log, record, { maxSize: 4, maxFiles: 1 });
    expect(readdirSync(folder)).toEqual(['log']);
    expect(contents(log)).toBe('3\n');
  });

  test('gives a record that is too large a file of its own', () => {
    for (const record of ['1\n', 'too large\n', '2\n'])
      appendRecord(log, record, { maxSize: 4, maxFiles: 9 });
    expect([log, `${log}.1`, `${log}.2`].map(contents)).toEqual(['2\n', 'too large\n', '1\n']);
  });

  test('fills a gap that a killed rotation left, and loses nothing for it', () => {
    writeFileSync(log, 'full\n');
    writeFileSync(`${log}.2`, 'oldest\n');
    appendRecord(log, 'new\n', { maxSize: 5, maxFiles: 3 });
    expect([log, `${log}.1`, `${log}.2`].map(contents)).toEqual(['new\n', 'full\n', 'oldest\n']);
  });

  test('replaces a link in the place of an older file, and does not follow it', () => {
    writeFileSync(`${folder}/victim`, 'untouched');
    writeFileSync(log, 'full\n');
    symlinkSync(`${folder}/victim`, `${log}.1`);
    appendRecord(log, 'new\n', { maxSize: 5, maxFiles: 2 });
    expect([`${log}.1`, `${folder}/victim`].map(contents)).toEqual(['full\n', 'untouched']);
  });

  test('writes on, and says so, when the file cannot be rotated', () => {
    writeFileSync(log, 'full\n');
    mkdirSync(`${log}.1`);
    const note = appendRecord(log, 'new\n', { maxSize: 5, maxFiles: 2 });
    expect(note).toMatch(
      /^log ".*log": written, but not rotated: rename ".*log": Is a directory \(EISDIR\)$/,
    );
    expect(contents(log)).toBe('full\nnew\n');
  });

  test('writes without the lock, and says who has it, when it cannot be had in time', () => {
    const fd = openSync(log, 'a');
    try {
      lockFile(fd, { path: log, timeoutMs: 0 });
      const note = appendRecord(log, 'record\n', { maxSize: 3, maxFiles: 2, lockTimeoutMs: 20 });
      expect(note).toContain(`written, but without a lock: lock "${log}": still held by pid ${process.pid} `);
      appendRecord(log, 'another\n', { maxSize: 3, maxFiles: 2, lockTimeoutMs: 0 });
    } finally {
      closeSync(fd);
    }
    expect(readdirSync(folder)).toEqual(['log']);
    expect(contents(log)).toBe('record\nanother\n');
  });
});

describe('checkLogFile', () => {
  test('makes the file, and changes nothing of one that is there', () => {
    checkLogFile(log);
    expect([modeOf(log), contents(log)]).toEqual(['600', '']);
    writeFileSync(log, 'x\n');
    checkLogFile(log);
    expect(contents(log)).toBe('x\n');
  });

  test('makes folders when asked to', () => {
    checkLogFile(`${folder}/a/log`, { makeFolder: true });
    expect(modeOf(`${folder}/a`)).toBe('700');
  });
});

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

interface Options {
  path: string;
  writer?: number;
  count?: number;
  length?: number;
  check?: boolean;
  maxSize?: number;
  maxFiles?: number;
}

const fixture = `${import.meta.dir}/../fixtures/append-records.ts`;

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

test('without the library that locks, records are written all the same', () => {
  // A copy of the sources outside of this project finds no koffi.
  Bun.spawnSync(['cp', '-r', `${import.meta.dir}/../../src`, `${folder}/src`]);
  mkdirSync(`${folder}/test/fixtures`, { recursive: true });
  const copy = `${folder}/test/fixtures/append-records.ts`;
  Bun.spawnSync(['cp', fixture, copy]);
  const argument = JSON.stringify({ path: log, writer: 0, count: 2, maxSize: 10, maxFiles: 2 });
  const { stdout } = Bun.spawnSync([process.execPath, '--no-install', copy, argument]);
  const notes = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).note);
  expect(notes).toEqual(
    Array(2).fill(expect.stringContaining('without a lock: koffi.node could not be loaded')),
  );
  expect(
    contents(log)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).number),
  ).toEqual([0, 1]);
});

describe('many processes at once', () => {
  const count = 25;

  /** Starts all of them, lets them go at the same moment, and returns all that they had to say. */
  async function runAll(processes: number, options: Partial<Options>): Promise<string[]> {
    const children = Array.from({ length: processes }, (_, writer) =>
      Bun.spawn(
        [process.execPath, fixture, JSON.stringify({ path: log, writer, count, waits: true, ...options })],
        { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
      ),
    );
    const outputs = children.map(async (child) => {
      const reader = child.stdout.getReader();
      const ready = await reader.read();
      return { reader, text: new TextDecoder().decode(ready.value) };
    });
    await Promise.all(outputs);
    for (const child of children) child.stdin.end();
    return Promise.all(
      outputs.map(async (output, index) => {
        let { reader, text } = await output;
        for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
          text += new TextDecoder().decode(chunk.value);
        expect(await children[index]!.exited).toBe(0);
        return text.replace('ready\n', '');
      }),
    );
  }

  const files = (): string[] => readdirSync(folder).map((name) => `${folder}/${name}`);

  test('64 lose, tear and mix no record while the file is rotated under them', async () => {
    const output = await runAll(64, { maxSize: 3000, maxFiles: 5000 });
    const seen = new Map<string, number>();
    for (const file of files()) {
      for (const line of contents(file).split('\n').slice(0, -1)) {
        const { writer, number, fill } = JSON.parse(line);
        expect(fill).toBe('x'.repeat((writer * 7 + number * 31) % 300));
        seen.set(`${writer}:${number}`, (seen.get(`${writer}:${number}`) ?? 0) + 1);
      }
      expect(contents(file)).toEndWith('\n');
    }
    expect(seen.size).toBe(64 * count);
    expect([...seen.values()].filter((times) => times !== 1)).toEqual([]);
    expect(files().length).toBeGreaterThan(50);
    // Whoever waited for more than a second may have written beyond the size, and has said so.
    const notes = output.join('').split('\n').filter(Boolean);
    for (const note of notes) expect(note).toContain('without a lock');
    expect(files().filter((file) => statSync(file).size > 3000).length).toBeLessThanOrEqual(notes.length);
  }, 60_000);

  test('16 keep no more files than they are told to, all of whole records', async () => {
    await runAll(16, { maxSize: 1000, maxFiles: 4 });
    expect(
      files()
        .map((file) => file.replace(log, ''))
        .sort(),
    ).toEqual(['', '.1', '.2', '.3']);
    for (const file of files()) for (const line of contents(file).trim().split('\n')) JSON.parse(line);
  }, 60_000);
});

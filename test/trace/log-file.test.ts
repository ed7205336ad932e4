import { describe, expect, test } from 'bun:test';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { lockFile } from '../../src/kernel/file-lock.ts';
import { appendRecord, checkLogFile } from '../../src/trace/log-file.ts';
import { contents, fixture, folder, log, modeOf, useLogFolder } from './log-folder.ts';

const unlimited = { maxSize: 1e9, maxFiles: 2 };
useLogFolder();

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

import { afterAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../src/kernel/regular-file.ts';
import { Scratch } from '../program.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const path = join(scratch.folder, 'file');

describe('a regular file', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 200_000])('of %d bytes is read whole', (length) => {
    const text = 'é1'.repeat(length).slice(0, length);
    writeFileSync(path, text);
    expect(readRegularFile(path, 400_000)).toBe(text);
  });

  test('may be as long as the limit, and no longer', () => {
    writeFileSync(path, 'x'.repeat(100));
    expect(readRegularFile(path, 100)).toHaveLength(100);
    expect(() => readRegularFile(path, 99)).toThrow(`${path} is longer than 99 bytes`);
  });

  test('without a size, as the kernel makes them, is read as well', () => {
    expect(readRegularFile('/proc/self/status', 65_536)).toContain('Pid:');
  });
});

test('what is none is refused, and a pipe not waited for', () => {
  execFileSync('mkfifo', [`${path}.pipe`]);
  for (const other of [`${path}.pipe`, '/dev/zero'])
    expect(() => readRegularFile(other, 100)).toThrow(`${other} is no regular file`);
  expect(() => readRegularFile(scratch.folder, 100)).toThrow('Is a directory (EISDIR)');
  expect(() => readRegularFile(`${path}.none`, 100)).toThrow('No such file or directory (ENOENT)');
});

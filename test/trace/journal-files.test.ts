import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { closeFiles, openJournal, wholeLinesOf } from '../../src/trace/journal-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function names(path: string): string[] {
  const { files } = openJournal(path);
  closeFiles(files);
  return files.map((file) => basename(file.path));
}

function write(...files: string[]): void {
  for (const name of files) writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync('x\n') : 'x\n');
}

describe('the files of a journal', () => {
  test.each([
    [
      ['j', 'j.1', 'j.2', 'j.10'],
      ['j.10', 'j.2', 'j.1', 'j'],
    ],
    [
      ['j', 'j.1', 'j.2.gz', 'j.3.gz'],
      ['j.3.gz', 'j.2.gz', 'j.1', 'j'],
    ],
    [
      ['j', 'j-20261127.gz', 'j-20261128', 'j-20261126.gz'],
      ['j-20261126.gz', 'j-20261127.gz', 'j-20261128', 'j'],
    ],
    [['j', 'j.lock', 'j.old', 'j.1.tmp', 'jj', 'j2', 'other.1'], ['j']],
    [
      ['j.1', 'j.2'],
      ['j.2', 'j.1'],
    ],
    [[], []],
  ])('%p: %p', (there, expected) => {
    write(...there);
    expect(names(join(folder, 'j'))).toEqual(expected);
  });

  test('one that is being compressed counts once', () => {
    write('j', 'j.1');
    writeFileSync(join(folder, 'j.1.gz'), gzipSync('x\n').subarray(0, 5));
    expect(names(join(folder, 'j'))).toEqual(['j.1', 'j']);
  });

  test('what is none is refused, by name', () => {
    mkdirSync(join(folder, 'j'));
    expect(openJournal(join(folder, 'j')).refused.map(({ message }) => message)).toEqual([
      `read "${folder}/j": Is a directory (EISDIR)`,
    ]);
    expect(openJournal(join(folder, 'none', 'j'))).toEqual({ files: [], refused: [] });
  });

  test('a line that is being written is left to whoever follows', () => {
    writeFileSync(join(folder, 'j'), 'whole\npart');
    writeFileSync(join(folder, 'k'), 'part');
    const sizes = ['j', 'k'].map((name) => {
      const { files } = openJournal(join(folder, name));
      closeFiles(files.slice(1));
      const [{ size } = { size: -1 }] = wholeLinesOf(files);
      closeFiles(files);
      return size;
    });
    expect(sizes).toEqual([6, 0]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeFiles, openJournal, wholeLinesOf } from '../../src/trace/journal-files.ts';
import { JournalFollow } from '../../src/trace/journal-follow.ts';
import { appendRecord } from '../../src/trace/log-file.ts';
import { rotate } from '../../src/trace/log-rotation.ts';
import { journalLine } from './journal-lines.ts';

let folder = '';
let path = '';
let follow: JournalFollow;
let written = 0;
const problems: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  path = join(folder, 'journal.ndjson');
  written = 0;
  problems.length = 0;
});
afterEach(() => {
  follow.close();
  rmSync(folder, { recursive: true });
  expect(problems).toEqual([]);
});

function write(count = 1): void {
  for (let number = 0; number < count; number += 1) appendFileSync(path, nextLine());
}

function nextLine(): string {
  written += 1;
  return `${journalLine(written)}\n`;
}

async function begin(): Promise<void> {
  const { files } = openJournal(path);
  follow = await JournalFollow.behind(path, wholeLinesOf(files), (problem) => problems.push(problem));
  closeFiles(files);
}

/** The numbers of the records that have come. */
async function look(): Promise<number[]> {
  const lines = await follow.look();
  return lines.map((line) => {
    const { startedAt } = JSON.parse(line.toString());
    return (Date.parse(startedAt) - Date.parse('2026-11-20T10:00:00Z')) / 1000;
  });
}

const gzip = (name: string) => execFileSync('gzip', [join(folder, name)]);

test('what comes after the beginning, and nothing of before', async () => {
  write(2);
  await begin();
  expect(await look()).toEqual([]);
  write(2);
  expect(await look()).toEqual([3, 4]);
  expect(await look()).toEqual([]);
});

test('a line that comes in pieces is one', async () => {
  write();
  appendFileSync(path, journalLine(2).slice(0, 100));
  await begin();
  expect(await look()).toEqual([]);
  appendFileSync(path, journalLine(2).slice(100));
  expect(await look()).toEqual([]);
  appendFileSync(path, '\n');
  expect(await look()).toEqual([2]);
});

test('a journal that is made only later, in a folder that is', async () => {
  path = join(folder, 'later', 'journal.ndjson');
  await begin();
  expect(await look()).toEqual([]);
  const options = { maxSize: 1e6, maxFiles: 4, makeFolder: true };
  appendRecord(path, `${journalLine(1)}\n`, options);
  expect(await look()).toEqual([1]);
});

describe('renamed', () => {
  test('with lines before and after', async () => {
    write();
    await begin();
    write();
    rotate(path, 4);
    write();
    expect(await look()).toEqual([2, 3]);
    write();
    expect(await look()).toEqual([4]);
  });

  test('and nobody has made a new one yet: whoever had it open still writes', async () => {
    write();
    await begin();
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, nextLine());
    expect(await look()).toEqual([2]);
    write();
    expect(await look()).toEqual([3]);
  });

  test.each([2, 3, 5])('%d times between two looks', async (times) => {
    write();
    rotate(path, 9);
    write();
    await begin();
    for (let time = 0; time < times; time += 1) {
      write(2);
      rotate(path, 9);
    }
    write();
    expect(await look()).toEqual(Array.from({ length: 2 * times + 1 }, (_, index) => 3 + index));
    write();
    rotate(path, 9);
    write();
    expect(await look()).toEqual([written - 1, written]);
  });

  test('so often that the followed file is gone', async () => {
    write();
    await begin();
    write();
    for (let time = 0; time < 5; time += 1) {
      rotate(path, 3);
      write();
    }
    // 2 was in the file that is held open; 3 and 4 were in files that are no more.
    expect(await look()).toEqual([2, 5, 6, 7]);
  });

  test('where only one file is kept', async () => {
    write();
    await begin();
    write();
    rotate(path, 1);
    write();
    expect(await look()).toEqual([2, 3]);
  });

  test('by others, who compress at once', async () => {
    write(3);
    await begin();
    write(2);
    renameSync(path, `${path}.1`);
    gzip('journal.ndjson.1');
    write();
    expect(await look()).toEqual([4, 5, 6]);
  });

  test('twice, and both compressed, between two looks', async () => {
    write();
    await begin();
    write();
    renameSync(path, `${path}.1`);
    gzip('journal.ndjson.1');
    write(2);
    renameSync(`${path}.1.gz`, `${path}.2.gz`);
    renameSync(path, `${path}.1`);
    gzip('journal.ndjson.1');
    write();
    expect(await look()).toEqual([2, 3, 4, 5]);
  });

  test('while it was empty', async () => {
    writeFileSync(path, '');
    await begin();
    rotate(path, 4);
    write();
    rotate(path, 4);
    write();
    expect(await look()).toEqual([1, 2]);
  });
});

describe('cut', () => {
  test('to nothing, and written to again', async () => {
    write(3);
    await begin();
    truncateSync(path);
    write();
    expect(await look()).toEqual([4]);
  });

  test('and grown beyond what it was, between two looks', async () => {
    write();
    await begin();
    await look();
    truncateSync(path);
    write(5);
    expect(await look()).toEqual([2, 3, 4, 5, 6]);
  });

  test('after it was copied, as logrotate does: what the copy has more', async () => {
    write(2);
    await begin();
    await look();
    write(2);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    write();
    expect(await look()).toEqual([3, 4, 5]);
  });

  test('and removed', async () => {
    write();
    await begin();
    unlinkSync(path);
    expect(await look()).toEqual([]);
    write();
    expect(await look()).toEqual([2]);
  });
});

test('writers that rotate it, at any time', async () => {
  await begin();
  const line = (writer: number) =>
    JSON.stringify({ path, writer, count: 200, length: 200, maxSize: 4000, maxFiles: 100 });
  const program = join(import.meta.dir, '../fixtures/append-records.ts');
  const writers = [1, 2].map((writer) => Bun.spawn([process.execPath, program, line(writer)]));
  const seen: string[] = [];
  let isOver = false;
  const over = Promise.all(writers.map(({ exited }) => exited)).then(() => {
    isOver = true;
  });
  do {
    seen.push(...(await follow.look()).map(String));
    await Bun.sleep(20);
  } while (!isOver);
  await over;
  seen.push(...(await follow.look()).map(String));
  const numbers = (writer: number) =>
    seen
      .map((text) => JSON.parse(text))
      .filter((record) => record.writer === writer)
      .map(({ number }) => number);
  const all = Array.from({ length: 200 }, (_, number) => number);
  expect([numbers(1), numbers(2)]).toEqual([all, all]);
});

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FoundRecords, newNotes } from '../../src/trace/found-records.ts';
import { closeFiles, openJournal } from '../../src/trace/journal-files.ts';
import { type ReadingOrder, readJournals } from '../../src/trace/read-journals.ts';
import { type RecordQuery, RecordSearch } from '../../src/trace/record-search.ts';
import { containerIDOf, firstMade, journalLine, type MadeRecord } from './journal-lines.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  path = join(folder, 'journal.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

const notes = newNotes();

/** What of some journals is found, as the seconds at which the calls began, `?` behind those that never ended. */
async function found(query: RecordQuery, order: ReadingOrder = {}, paths = [path]): Promise<string[]> {
  Object.assign(notes, newNotes());
  const opened = paths.map((one) => openJournal(one).files);
  const journals = opened.map((files) => new FoundRecords(files, new RecordSearch(query), notes, false));
  const all: string[] = [];
  for await (const { record } of readJournals(journals, order)) {
    const second = (record.startedAt.getTime() - firstMade.getTime()) / 1000;
    all.push(`${second}${record.kind === 'begin' ? '?' : ''}`);
  }
  closeFiles(opened.flat());
  return all;
}

function lines(count: number, made: (number: number) => MadeRecord = () => ({})): string[] {
  return Array.from({ length: count }, (_, number) => journalLine(number, made(number)));
}

function write(content: string[], to = path): void {
  const text = content.map((line) => `${line}\n`).join('');
  writeFileSync(to, to.endsWith('.gz') ? gzipSync(text) : text);
}

const at = (second: number) => new Date(firstMade.getTime() + second * 1000);

describe('order', () => {
  test('oldest first through all files; the last of them; newest first', async () => {
    const made = lines(10);
    write(made.slice(0, 3), `${path}.2.gz`);
    write(made.slice(3, 6), `${path}.1`);
    write(made.slice(6));
    expect(await found({})).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(await found({}, { tail: 5 })).toEqual(['5', '6', '7', '8', '9']);
    expect(await found({}, { tail: 8 })).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
    expect(await found({}, { tail: 99 })).toHaveLength(10);
    expect(await found({}, { tail: 0 })).toEqual([]);
    expect(await found({}, { reverse: true })).toEqual(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']);
    expect(await found({}, { reverse: true, tail: 2 })).toEqual(['9', '8']);
  });

  test('a compressed file with more than is kept of it at once', async () => {
    write(lines(10_000), `${path}.1.gz`);
    write([]);
    const reverse = await found({}, { reverse: true });
    expect(reverse).toEqual(Array.from({ length: 10_000 }, (_, index) => String(9999 - index)));
    expect(await found({}, { tail: 6000 })).toEqual(reverse.slice(0, 6000).reverse());
  });

  test('several journals by time, each in its own order where the clock went backwards', async () => {
    const other = join(folder, 'other.ndjson');
    const made = (seconds: number[]) => seconds.map((second) => journalLine(second, { duration: 0 }));
    write(made([1, 5, 2, 9]));
    write(made([0, 3, 8]), other);
    expect(await found({}, {}, [path, other])).toEqual(['0', '1', '3', '5', '2', '8', '9']);
    expect(await found({}, { tail: 3 }, [path, other])).toEqual(['3', '8', '9']);
    expect(await found({}, { reverse: true }, [path, other])).toEqual(['9', '8', '3', '2', '5', '1', '0']);
  });
});

describe('a call that has begun', () => {
  const begin = (number: number) => journalLine(number, { kind: 'begin' });

  test('and ended is one; and never ended is found by its beginning', async () => {
    write([begin(0), begin(1), journalLine(0), begin(2), journalLine(3), journalLine(2)]);
    expect(await found({})).toEqual(['1?', '0', '3', '2']);
    expect(await found({}, { reverse: true })).toEqual(['2', '3', '0', '1?']);
    expect(await found({}, { tail: 3 })).toEqual(['0', '3', '2']);
    expect(await found({ failed: true })).toEqual(['1?']);
    expect(await found({ slowerMs: 3 })).toEqual(['1?', '3']);
  });

  test('and ended in the next file', async () => {
    write([begin(0), begin(1)], `${path}.1`);
    write([journalLine(1)]);
    expect(await found({})).toEqual(['0?', '1']);
    expect(await found({}, { reverse: true })).toEqual(['1', '0?']);
  });

  test('and ended so far behind that the end is not remembered from the end on', async () => {
    const short = (number: number) =>
      `{"v":1,"kind":"call","id":"${number}","startedAt":"2026-11-20T10:00:00Z"}`;
    const between = Array.from({ length: 40_000 }, (_, number) => short(1e6 + number));
    write([begin(1), begin(2), journalLine(2), ...between, journalLine(1)]);
    expect((await found({}, { reverse: true })).slice(-2)).toEqual(['0', '2']);
    expect((await found({})).filter((one) => one.endsWith('?'))).toEqual([]);
  });

  test('is its own, when only it fits what is asked', async () => {
    write([begin(0), journalLine(0, { address: '10.9.9.9/16', command: 'ADD' })]);
    expect(await found({ about: '10.9.9.9' })).toEqual(['0']);
    expect(await found({ pattern: /begins/ })).toEqual([]);
  });
});

describe('what is damaged', () => {
  test('is skipped and counted, wherever it is', async () => {
    const made = lines(4);
    write([
      '',
      'no JSON',
      made[0]!,
      `${made[1]!.slice(0, 300)}${made[1]}`,
      made[2]!,
      '\0\0\0',
      '{"v":2}',
      '[]',
    ]);
    writeFileSync(path, `${readFileSync(path)}${made[3]!.slice(0, -10)}`);
    for (const reverse of [false, true]) {
      expect(await found({}, { reverse })).toEqual(reverse ? ['2', '0'] : ['0', '2']);
      expect(notes).toEqual({ damaged: 4, unknown: 2, problems: [] });
    }
  });

  test('a last line without a line break is none', async () => {
    writeFileSync(path, lines(2).join('\n'));
    expect(await found({})).toEqual(['0', '1']);
    expect(notes.damaged).toBe(0);
  });

  test('compressed: what could be read, and that it was not all', async () => {
    const content = gzipSync(lines(5000).join('\n'));
    writeFileSync(`${path}.1.gz`, content.subarray(0, content.length >> 1));
    write([journalLine(7000)]);
    const seen = await found({});
    expect(seen[0]).toBe('0');
    expect(seen.at(-1)).toBe('7000');
    expect(notes.problems).toEqual([`${path}.1.gz: gzip: unexpected end of file`]);
    expect((await found({}, { reverse: true })).length).toBe(seen.length);
    expect(notes.problems).toHaveLength(1);
  });
});

describe('what is searched', () => {
  beforeEach(() => write(lines(20, (number) => ({ network: number < 10 ? 'lab' : 'other' }))));

  test.each<[RecordQuery, string[]]>([
    [{ container: containerIDOf(6) }, ['6', '7']],
    [{ container: containerIDOf(6).slice(0, 10) }, ['6', '7']],
    [{ container: containerIDOf(6).slice(10) }, []],
    [{ pod: { name: 'web-1' } }, ['2', '3']],
    [{ pod: { name: 'web-1', namespace: 'other' } }, []],
    [{ pod: { name: 'web' } }, []],
    [{ about: 'default/web-1', network: 'lab' }, ['2', '3']],
    [{ about: containerIDOf(4).slice(0, 12) }, ['4', '5']],
    [{ about: '10.22.0.4' }, ['4']],
    [{ about: '10.22.0.1' }, ['1']],
    [{ about: `/run/netns/cni-${containerIDOf(4).slice(0, 8)}` }, ['4', '5']],
    [{ about: `cni-${containerIDOf(4).slice(0, 8)}` }, ['4', '5']],
    [{ about: 'web-2/' }, []],
    [{ network: 'other', command: 'DEL' }, ['11', '13', '15', '17', '19']],
    [{ network: 'oth' }, []],
    [{ slowerMs: 19 }, ['19']],
    [{ pattern: /10\.22\.0\.1[0-2]\// }, ['10', '11', '12']],
    [{ since: at(17) }, ['17', '18', '19']],
    [{ until: at(1) }, ['0', '1']],
    [{ since: at(4), until: at(5) }, ['4', '5']],
  ])('%p: %p', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
    expect(await found(query, { reverse: true })).toEqual([...expected].reverse());
  });

  test('a call that was not over by then', async () => {
    write([journalLine(0, { duration: 5000 }), journalLine(1, { duration: 100 })]);
    expect(await found({ since: at(4) })).toEqual(['0']);
  });

  test('a time, where the clock went backwards', async () => {
    const seconds = [10, 11, 12, 3, 4, 5, 11, 12];
    write(seconds.map((second) => journalLine(second)));
    expect(await found({ since: at(11) })).toEqual(['11', '12', '11', '12']);
    expect(await found({ since: at(11) }, { tail: 3 })).toEqual(['12', '11', '12']);
    expect(await found({ until: at(4) })).toEqual(['3', '4']);
  });

  test('an IPv6 address, however it is written', async () => {
    write([journalLine(0, { address: 'fd00::5/64' }), journalLine(1, { address: 'fd00::50/64' })]);
    expect(await found({ about: 'fd00:0:0::0005' })).toEqual(['0']);
  });

  test('what a writer of JSON may escape', async () => {
    const pod = { namespace: 'default', name: 'wéb"x' };
    write([journalLine(0, { pod }).replaceAll('é', '\\u00e9').replaceAll('/', '\\/')]);
    expect(await found({ pod })).toEqual(['0']);
    expect(await found({ about: 'default/wéb"x' })).toEqual(['0']);
    expect(await found({ about: '/var/run/netns/cni-' })).toEqual(['0']);
  });
});

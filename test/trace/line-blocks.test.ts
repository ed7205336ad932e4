import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { closeFiles, openJournal } from '../../src/trace/journal-files.ts';
import { blocksFromEnd, blocksOf, CompressedFileError } from '../../src/trace/line-blocks.ts';
import { linesIn, linesInFromEnd } from '../../src/trace/line-search.ts';

const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'journal.ndjson');

/** Every line of a file, with where it begins, by both readers; the one from the end turned round. */
async function read(content: Buffer, needle?: string) {
  writeFileSync(path, content);
  const { files } = openJournal(path);
  const [file] = files;
  if (file === undefined) throw new Error('it is not there');
  const wanted = needle === undefined ? undefined : Buffer.from(needle);
  const forward: [number, string][] = [];
  const backward: [number, string][] = [];
  try {
    for await (const { bytes, start } of blocksOf(file))
      for (const line of linesIn(bytes, wanted))
        forward.push([start + line.start, bytes.toString('latin1', line.start, line.end)]);
    if (file.compression === undefined)
      for (const { bytes, start } of blocksFromEnd(file))
        for (const line of linesInFromEnd(bytes, wanted))
          backward.unshift([start + line.start, bytes.toString('latin1', line.start, line.end)]);
  } finally {
    closeFiles(files);
  }
  return { forward, backward };
}

function expected(content: string, needle = ''): [number, string][] {
  const lines: [number, string][] = [];
  let at = 0;
  for (const line of content.split('\n')) {
    if (line !== '' && line.includes(needle)) lines.push([at, line]);
    at += line.length + 1;
  }
  return lines;
}

test('every line once, in both directions, with and without a needle', async () => {
  const line = fc.oneof(fc.stringMatching(/^[a-c]{0,6}$/), fc.constant('abc'.repeat(30)));
  const property = fc.asyncProperty(fc.array(line), fc.constantFrom('', '\n'), async (lines, end) => {
    const content = lines.join('\n') + end;
    const all = await read(Buffer.from(content));
    expect(all).toEqual({ forward: expected(content), backward: expected(content) });
    const some = await read(Buffer.from(content), 'ab');
    expect(some).toEqual({ forward: expected(content, 'ab'), backward: expected(content, 'ab') });
  });
  await fc.assert(property, { numRuns: 200 });
});

test('lines that lie across the pieces of a file, or are longer than one', async () => {
  const megabyte = 1024 * 1024;
  const lines = [0.7, 0.7, 2.5, 0, 0.1, 1, 1, 0.3].map((size, index) => `${index}`.repeat(size * megabyte));
  const content = lines.join('\n');
  const { forward, backward } = await read(Buffer.from(content));
  const sizes = (found: [number, string][]) => found.map(([at, line]) => [at, line[0], line.length]);
  expect(sizes(forward)).toEqual(sizes(expected(content)));
  expect(sizes(backward)).toEqual(sizes(expected(content)));
});

test('a line that has no end in sight is not kept, and those around it are', async () => {
  const content = Buffer.concat([
    Buffer.from('first\n'),
    Buffer.alloc(40 * 1024 * 1024, 'x'),
    Buffer.from('\nlast\n'),
  ]);
  const { forward, backward } = await read(content);
  for (const found of [forward, backward]) {
    expect(found.map(([, line]) => line).filter((line) => !line.startsWith('x'))).toEqual(['first', 'last']);
    expect(Math.max(...found.map(([, line]) => line.length))).toBeLessThan(17 * 1024 * 1024);
  }
  expect(forward.at(-1)?.[0]).toBe(content.length - 'last\n'.length);
});

describe('compressed', () => {
  const content = Array.from({ length: 50_000 }, (_, number) => `line ${number} of many`).join('\n');

  test('reads as if it were not', async () => {
    const { forward } = await read(gzipSync(content));
    expect(forward).toEqual(expected(content));
  });

  test('and cut: what there is, then an error that names it', async () => {
    writeFileSync(path, gzipSync(content).subarray(0, 20_000));
    const { files } = openJournal(path);
    const lines: string[] = [];
    const reading = (async () => {
      for await (const { bytes } of blocksOf(files[0]!)) lines.push(bytes.toString().split('\n')[0]!);
    })();
    await expect(reading).rejects.toThrow(CompressedFileError);
    await expect(reading).rejects.toThrow(`${path}: gzip: unexpected end of file`);
    closeFiles(files);
  });
});

import { describe, expect, test } from 'bun:test';
import { readdirSync, statSync } from 'node:fs';
import { contents, fixture, folder, log, type Options, useLogFolder } from './log-folder.ts';

useLogFolder();

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

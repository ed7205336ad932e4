import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answered, prevResult, Scratch } from '../../program.ts';
import { FakePlugin } from './fake-plugin.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

describe('a log that cannot be written', () => {
  const obstacles: [string, string, (path: string) => void][] = [
    ['a link', 'is a symbolic link, not a regular file', (path) => symlinkSync('/etc/hostname', path)],
    [
      'a dangling link',
      'is a symbolic link, not a regular file',
      (path) => symlinkSync(`${path}.elsewhere`, path),
    ],
    ['a directory', 'is a directory, not a regular file', (path) => mkdirSync(path)],
    [
      'a hard link',
      'has 2 hard links',
      (path) => {
        writeFileSync(`${path}.other`, '');
        linkSync(`${path}.other`, path);
      },
    ],
  ];

  test.each(obstacles)('%s is said on stderr, and the call goes on', async (_, message, make) => {
    make(scratch.log);
    const answer = await scratch.call('ADD', { prevResult });
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.status).toBe(0);
    expect(answer.stderr).toContain(`cni-debug: log ${JSON.stringify(scratch.log)}: ${message}`);
    expect(scratch.records()).toHaveLength(1);
    expect(() => statSync(`${scratch.log}.elsewhere`)).toThrow();
  });

  test.each(obstacles)(
    '%s is an error with strictLog, before the delegate is run',
    async (_, message, make) => {
      using fake = new FakePlugin();
      make(fake.log);
      const answer = await fake.wrap('ADD', { strictLog: true });
      expect(answered(answer)).toMatchObject({ code: 5, msg: expect.stringContaining(message) });
      expect(answer.status).toBe(1);
      expect(fake.commands()).toEqual([]);
      expect(await fake.wrap('ADD')).toMatchObject({ status: 0 });
      expect(fake.commands()).toEqual(['ADD']);
    },
  );

  test('in a folder that does not exist', async () => {
    const cniOutput = join(scratch.folder, 'none', 'log');
    const answer = await scratch.call('ADD', { prevResult, cniOutput });
    expect(answer.status).toBe(0);
    expect(answer.stderr).toContain('make its folder, or name another file');
  });
});

import { describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable, run } from '../program.ts';
import type { Span } from './traced-span.ts';

const cniDebug = executable.BIN;
describe('a journal that is named', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
    return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
  };
  const record = (containerID: string, second: number, fields: object = {}) =>
    JSON.stringify({
      ...{ level: 30, time: `2026-11-20T12:00:${String(second).padStart(2, '0')}.000Z`, v: 1, kind: 'call' },
      ...{
        id: `000000000000${String(second).padStart(4, '0')}`,
        plugin: 'debug',
        command: 'ADD',
        network: 'net',
      },
      ...{ attachment: { containerID, ifName: 'eth0' }, duration: 5 },
      ...{ startedAt: `2026-11-20T12:00:${String(second).padStart(2, '0')}.000Z`, ...fields },
    });
  const write = (path: string, ...lines: string[]) =>
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  const trace = (path: string, ...words: string[]) => run([cniDebug, 'trace', '--journal', path, ...words]);

  test('is read with the files that it was rotated to, damaged lines left out', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    write(`${path}.2`, record('c1', 1));
    write(`${path}.1`, '{"v":1,"kind":"call"', 'nonsense', record('c1', 11, { command: 'CHECK' }));
    write(
      path,
      record('c1', 21, { command: 'DEL' }),
      record('c2', 31),
      '{"v":2,"kind":"call"}',
      record('c1', 41).slice(0, 80),
    );
    const [{ operations }] = JSON.parse((await trace(path, 'c1', '--json')).stdout);
    expect(operations.map(({ name }: Span) => name)).toEqual(['ADD', 'CHECK', 'DEL']);
    expect((await trace(path)).stdout).toStartWith('eth0 of c2 in network "net"\n');
  });

  test('several are one', async () => {
    using at = folder();
    const [one, two] = [join(at.path, 'one'), join(at.path, 'two')];
    write(one, record('c1', 1), record('c1', 30, { command: 'DEL' }));
    write(two, record('c1', 2, { plugin: 'other', prevResult: {} }));
    const [{ operations }] = JSON.parse((await trace(one, '--journal', two, 'c1', '--json')).stdout);
    expect(
      operations.map(({ name, children }: Span) => [name, ...children.map((child) => child.name)]),
    ).toEqual([
      ['ADD', 'debug', 'runtime, unrecorded plugins', 'other'],
      ['DEL', 'debug'],
    ]);
    const last = (await trace(one, '--journal', two, 'c1', '--tail', '1')).stdout;
    expect(last.match(/^(ADD|DEL) /gm)).toEqual(['DEL ']);
  });

  test('what a word means: an ID before the beginning of one, the newest before others, which are named', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    const pod = { namespace: 'default', name: 'db', uid: 'u' };
    write(
      path,
      record('web', 1),
      record('web2', 2),
      record('web3', 3),
      record('c1', 4, { pod }),
      record('c2', 5, { pod }),
    );
    const exact = await trace(path, 'web');
    expect(exact).toMatchObject({ status: 0, stderr: '' });
    expect(exact.stdout).toStartWith('eth0 of web in');
    const prefix = await trace(path, 'we');
    expect(prefix.stdout).toStartWith('eth0 of web3 in');
    expect(prefix.stderr).toBe(
      'cni-debug trace: the newest of several that this may mean; others are web2, web\n',
    );
    const named = await trace(path, 'default/db');
    expect(named.stdout).toStartWith('eth0 of default/db (c2) in');
    expect(named.stderr).toContain('others are c1');
    expect((await trace(path, '0000000000000004')).stdout).toStartWith('eth0 of default/db (c1) in');
    const none = await trace(path, 'nobody');
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toBe(
      `cni-debug trace: no record of a container, pod or record "nobody" in ${path}\n  cni-debug list shows what there is\n`,
    );
  });

  test('last is an attachment, whatever is asked of the network since; where there is none, that', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    const status = { command: 'STATUS' };
    write(path, record('', 1, status));
    expect((await trace(path)).stdout).toStartWith('network "net", no container\n\nSTATUS ');
    write(path, record('c1', 1), record('', 2, status));
    expect((await trace(path)).stdout).toStartWith('eth0 of c1 ');
  });

  test('names of others that would control the terminal do not', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    write(path, record('web\u001b[2J', 1), record('web1', 2));
    expect((await trace(path, 'web')).stderr).toEndWith('others are web\\e[2J\n');
  });

  test('the last operations, and always that of a record that is named', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    write(
      path,
      ...Array.from({ length: 40 }, (_, index) =>
        record('c1', index, { command: index % 2 ? 'DEL' : 'ADD' }),
      ),
    );
    const shown = await trace(path, '--tail', '3');
    expect(shown.stdout.match(/^(ADD|DEL) /gm)).toEqual(['DEL ', 'ADD ', 'DEL ']);
    expect(shown.stderr).toBe('cni-debug trace: 37 operations of eth0 are not shown: --tail 40 does\n');
    const named = await trace(path, '0000000000000005', '--tail', '2');
    expect(named.stdout).toContain('debug 0000000000000005');
  });

  test.each([
    [['--journal', '/nowhere/journal'], 2, '/nowhere/journal: there is no such file'],
    [['--width', 'wide'], 2, 'It is not a whole number above zero'],
    [['--tail', '0'], 2, 'It is not a whole number above zero'],
  ])('%j is wrong usage', async (words, status, message) => {
    const answer = await run([cniDebug, 'trace', ...words]);
    expect(answer).toMatchObject({ status, stdout: '' });
    expect(answer.stderr).toContain(message);
  });

  test('nothing but damaged lines is no record', async () => {
    using at = folder();
    const path = join(at.path, 'journal.ndjson');
    write(path, 'nonsense', '{}');
    expect(await trace(path)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`no record in ${path}`),
    });
    expect((await trace(path, '--summary')).status).toBe(1);
    mkdirSync(join(at.path, 'folder'));
    expect((await trace(join(at.path, 'folder'))).status).toBe(3);
  });
});

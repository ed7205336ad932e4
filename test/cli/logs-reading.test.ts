import { describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from '../program.ts';
import { requires } from '../requirements.ts';
import { containerIDOf, journalLine } from '../trace/journal-lines.ts';
import { cniDebug, environment, folder, journal, logs, pod, pods, withScenes } from './logged.ts';

withScenes();

import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

describe('what is read', () => {
  test('a journal and the files that it was before, compressed ones too', async () => {
    const path = join(folder, 'rotated.ndjson');
    const line = (number: number) => `${journalLine(number, { pod: pod(`p${number}`) })}\n`;
    writeFileSync(`${path}.3.gz`, gzipSync(line(0)));
    execFileSync('zstd', ['-q', '-', '-o', `${path}.2.zst`], { input: line(1) });
    writeFileSync(`${path}.1`, line(2));
    writeFileSync(path, line(3));
    expect(await pods(path)).toEqual(['p0', 'p1', 'p2', 'p3']);
    expect(await pods(['-n', '2', path])).toEqual(['p2', 'p3']);
    // Each file once, however it is named.
    expect(await pods([`${path}.1`, path, `${path}.3.gz`])).toEqual(['p0', 'p1', 'p2', 'p3']);
    expect(await pods([`${path}.3.gz`])).toEqual(['p0']);
  });

  test('two journals, by time', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, `${name}.ndjson`));
    for (const [index, path] of paths.entries()) {
      const lines = [0, 2, 4].map((number) =>
        journalLine(number + index, { pod: pod(`p${number + index}`), duration: 0 }),
      );
      writeFileSync(path, `${lines.join('\n')}\n`);
    }
    expect(await pods(paths)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
    expect(await pods(['-n3', ...paths])).toEqual(['p3', 'p4', 'p5']);
  });

  test('stdin: the last of them, and those that never ended behind', async () => {
    const lines = [
      journalLine(0, { kind: 'begin', pod: pod('killed') }),
      journalLine(1, { kind: 'begin', pod: pod('one') }),
      journalLine(1, { pod: pod('one') }),
      journalLine(2, { pod: pod('two') }),
    ].join('\n');
    expect(await pods('-', lines)).toEqual(['one', 'two', 'killed']);
    expect(await pods('-n 2 -', lines)).toEqual(['two', 'killed']);
    const piped = await run(['bash', '--norc', '-c', `${cniDebug} logs <(cat)`], {
      environment,
      stdin: lines,
    });
    expect(piped).toMatchObject({ status: 0, stderr: '' });
    expect(piped.stdout).toContain('default/killed');
  });

  test('damaged lines are counted', async () => {
    const lines = [journalLine(0), 'damaged', journalLine(1), journalLine(2).slice(0, 200)].join('\n');
    const answer = await logs('-', lines);
    expect(answer).toMatchObject({ status: 0, stderr: 'cni-debug logs: 2 lines were damaged and skipped\n' });
    expect(answer.stdout.split('\n')).toHaveLength(3);
    expect((await logs('-', '{"v":2}\ncut')).stderr).toBe(
      'cni-debug logs: 1 line was damaged and skipped\n' +
        'cni-debug logs: 1 line is no record that this version knows, and skipped\n' +
        'cni-debug logs: no record is so\n',
    );
  });

  test('what cannot be read is status 3, and the others are shown', async () => {
    const none = join(folder, 'none.ndjson');
    const answer = await logs([none, journal, folder]);
    expect(answer.status).toBe(3);
    expect(answer.stdout).toContain('default/nginx');
    expect(answer.stderr).toBe(
      `cni-debug logs: read "${folder}": Is a directory (EISDIR)\n` +
        `  open "${none}": No such file or directory (ENOENT)\n`,
    );
  });

  test.if(requires('root'))("root's own journal, for anybody else", async () => {
    const secret = join(folder, 'secret', 'journal.ndjson');
    mkdirSync(join(folder, 'secret'), { mode: 0o700 });
    writeFileSync(secret, journalLine(0), { mode: 0o600 });
    const program = join(folder, 'cni-debug');
    execFileSync('cp', [cniDebug, join(cniDebug, '../koffi.node'), folder]);
    const argv = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', program, 'logs', secret];
    for (const words of [[], ['-f']])
      expect(await run([...argv, ...words], { environment })).toMatchObject({
        ...{ status: 3, stdout: '' },
        stderr: `cni-debug logs: stat "${secret}": Permission denied (EACCES)\n  a journal is for root alone: sudo cni-debug logs\n`,
      });
  });

  test('whoever has seen enough is not bothered', async () => {
    const lines = Array.from({ length: 3000 }, (_, number) => journalLine(number)).join('\n');
    const answer = await run(['bash', '--norc', '-c', `${cniDebug} logs - | head -1`], {
      environment,
      stdin: lines,
    });
    expect(answer).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('memory', () => {
  test('does not grow with the journal', async () => {
    const piece = Array.from({ length: 2000 }, (_, number) => `${journalLine(number)}\n`).join('');
    const path = join(folder, 'large.ndjson');
    const megabytes: number[] = [];
    for (const pieces of [3, 60]) {
      writeFileSync(path, '');
      for (let count = 0; count < pieces; count += 1) appendFileSync(path, piece);
      for (const words of [
        ['--container', containerIDOf(8)],
        ['-r', '--failed'],
        ['--command', 'CHECK'],
      ]) {
        const child = Bun.spawn([cniDebug, 'logs', ...words, path], { stdout: 'ignore', stderr: 'ignore' });
        await child.exited;
        megabytes.push((child.resourceUsage()?.maxRSS ?? 0) / 1e6);
      }
    }
    const [a = 0, b = 0, c = 0, ...larger] = megabytes;
    // 220 MB, and 11.
    expect(larger.map((size, index) => size - ([a, b, c][index] ?? 0)).every((grown) => grown < 60)).toBe(
      true,
    );
    expect(a).toBeGreaterThan(20);
  });
});

describe.if(requires('root', 'ip'))('the journals of a chain that was called', () => {
  test('of all networks of the node', async () => {
    await using node = await OperatorNode.start();
    const broken = {
      ...debugPlugin,
      delegate: { type: 'missing' },
      journal: { path: '/var/log/other.ndjson' },
    };
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    node.configure('20-broken.conflist', { cniVersion: '1.0.0', name: 'broken', plugins: [broken] });
    expect(await node.type('logs')).toEqual({
      ...{ status: 1, signal: null, stdout: '' },
      stderr:
        'cni-debug logs: there is no journal (/var/log/cni-debug/journal.ndjson, /var/log/other.ndjson): "debug" makes one when it is called\n',
    });
    const netns = await node.pod('web');
    const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx';
    await node.typed(['add', 'lab', 'web', '--args', args]);
    const failed = await node.type('add broken web --ifname eth1');
    await node.typed('del lab web');
    const heads = async (words: string) =>
      (await node.typed(words))
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .map((line) => line.replace(/^[\d:.]+ /, '').replace(/ [\d.]+ ms /, ' '));
    const add = '2/2 debug ADD default/nginx eth0 lab 10.22.0.2/16';
    const error = expect.stringContaining('1/1 debug ADD cnitool-3993 eth1 broken error 101: ');
    const del = '2/2 debug DEL default/nginx eth0 lab done';
    const rollback = expect.stringContaining('1/1 debug DEL cnitool-3993 eth1 broken ');
    expect(await heads('logs')).toEqual([add, error, rollback, del]);
    for (const words of ['logs default/nginx', 'logs 10.22.0.2', 'logs --network lab'])
      expect(await heads(words)).toEqual([add, del]);
    for (const words of [`logs ${netns} --network broken`, 'logs web --failed'])
      expect((await heads(words))[0]).toEqual(error);
    const [, record = ''] = /record: ([0-9a-f]{16})/.exec(failed.stderr) ?? [];
    expect(await heads(`logs ${record}`)).toEqual([error]);
  });
});

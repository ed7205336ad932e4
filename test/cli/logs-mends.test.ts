import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable, run } from '../program.ts';
import { firstMade, journalLine } from '../trace/journal-lines.ts';

const lease = '- lease 10.50.0.9 of 3f2a0c eth0 in network lab';
const left = 'lease fd00::10 of 77aa eth0 in network lab: lo in /run/netns/a has fd00::10';

function mendLine(number: number, more: object): string {
  const time = new Date(firstMade.getTime() + number * 1000).toISOString();
  const head = {
    level: 30,
    time,
    v: 1,
    kind: 'mend',
    id: '00000000000000aa',
    startedAt: time,
    duration: 12.34,
  };
  return JSON.stringify({ ...head, finding: 'D001', object: 'network lab', done: [], left: [], ...more });
}

const lines = [
  journalLine(0),
  mendLine(1, { done: [lease], left: [left], msg: 'D001 network lab: 1 done, 1 left as it was' }),
  journalLine(2, { network: 'other' }),
  mendLine(3, {
    finding: 'D020',
    object: 'network other',
    left: ['link veth0'],
    failure: 'no \u001b[2Jnetlink',
  }),
];

async function logs(words: string, stdin = `${lines.join('\n')}\n`) {
  const argv = [executable.BIN, 'logs', ...words.split(' ').filter(Boolean), '-'];
  return run(argv, { environment: { TZ: 'UTC', NETCONFPATH: '/nonexistent' }, stdin });
}

describe('what doctor --fix did is among the calls', () => {
  test('with its time, what it was about, and what was done and left', async () => {
    const { status, stdout, stderr } = await logs('');
    expect([status, stderr]).toEqual([0, '']);
    const shown = stdout.split('\n');
    expect(shown.filter((line) => !line.includes('debug'))).toEqual([
      '2026-11-20 10:00:01.000 doctor D001 network lab 12.3 ms 1 done, 1 left',
      `    ${lease}`,
      `    left: ${left}`,
      '2026-11-20 10:00:03.000 doctor D020 network other 12.3 ms not mended: no \\e[2Jnetlink',
      '    left: link veth0',
      '',
    ]);
  });

  test.each([
    ['--format json', 2],
    ['--format text', 2],
    ['--format json --network lab', 1],
    ['--format json --network la', 0],
    ['--format json --container 3f2a', 1],
    ['--format json 3f2a', 1],
    ['--format json 10.50.0.9', 1],
    ['--format json fd00::10', 1],
    ['--format json 0.50.0.9', 0],
    ['--format json -g has.fd00', 1],
    ['--format json --failed', 1],
    ['--format json --command ADD', 0],
    ['--format json 00000000000000aa', 2],
    ['--format json --since 2026-11-20T10:00:02Z', 1],
    ['--format json --slower 1s', 0],
  ])('%s shows %d of them', async (words, count) => {
    const { stdout } = await logs(words);
    const found = stdout.split('\n').filter((line) => /"kind":"mend"| doctor D0/.test(line));
    expect(found).toHaveLength(count);
  });

  test('of a file from its end, and the lines themselves', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
    try {
      const path = join(folder, 'journal.ndjson');
      writeFileSync(path, `${lines.join('\n')}\n`);
      const { stdout } = await run([executable.BIN, 'logs', '--format', 'json', '-r', '-n', '3', path]);
      expect(stdout).toBe(`${lines.slice(1).reverse().join('\n')}\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('one of a version to come is none', async () => {
    const { status, stderr } = await logs('', `${mendLine(0, {}).replace('"v":1', '"v":2')}\n`);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('1 line is no record that this version knows'),
    ]);
  });
});

import { afterAll, beforeAll, expect } from 'bun:test';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable, run } from '../program.ts';
import { containerIDOf, firstMade, journalLine, type MadeRecord } from '../trace/journal-lines.ts';

export const cniDebug = executable.BIN;
/** Of the test file that runs; the journal and the configuration in it are made by `withScenes`. */
export const folder = join(tmpdir(), `cni-debug-test-${process.pid}-logs`);
export const journal = join(folder, 'journal.ndjson');
export const confDir = join(folder, 'net.d');
export const environment = { TZ: 'UTC', NETCONFPATH: confDir };

/** Types `cni-debug logs`. */
export function logs(words: string | readonly string[], stdin = '') {
  const argv = typeof words === 'string' ? words.split(' ').filter(Boolean) : words;
  return run([cniDebug, 'logs', ...argv], { environment, stdin });
}

/** What it prints; it must end with 0 and say nothing else. */
export async function shown(words: string | readonly string[], stdin = ''): Promise<string> {
  const answer = await logs(words, stdin);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  return answer.stdout;
}

/** The ends of lines that begin a call. */
export async function pods(words: string | readonly string[], stdin = ''): Promise<(string | undefined)[]> {
  const heads = (await shown(words, stdin)).split('\n').filter((line) => /^\S/.test(line));
  return heads.map((line) => /default\/(\S+)/.exec(line)?.[1]);
}

export const seconds = (count: number) => new Date(firstMade.getTime() + count * 1000);
export const pod = (name: string) => ({ namespace: 'default', name });

/** One of everything that a line can be. */
export const scenes: MadeRecord[] = [
  { pod: pod('nginx'), address: '10.22.0.5/16', duration: 12.34 },
  {
    ...{ pod: pod('broken'), command: 'ADD', duration: 170.6, containerID: containerIDOf(44) },
    error: {
      code: 101,
      msg: 'delegate 2 of 2 ("portmap"): add element 8080 to map inet cni_debug hostport_any4: File exists (EEXIST): it is held by default/other',
      details: 'record 0123456789abcdef in /var/log/cni-debug/journal.ndjson',
    },
    more: {
      configuration: { type: 'debug', name: 'lab', delegate: [{ type: 'bridge' }, { type: 'portmap' }] },
      delegates: [
        { type: 'bridge', command: 'ADD', inProcess: true, duration: 88.4 },
        {
          type: 'portmap',
          command: 'ADD',
          status: 2,
          duration: 3.2,
          failure: 'exit status 2',
          stderr: 'panic: no\n',
        },
        { type: 'bridge', command: 'DEL', inProcess: true, duration: 20 },
      ],
    },
  },
  {
    ...{ pod: pod('warned'), command: 'CHECK', duration: 15_000 },
    more: {
      result: undefined,
      findings: [
        { rule: 'namespace-differs', object: 'eth0', message: 'eth0: mtu is 1400, and prevResult has 1500' },
      ],
      hooks: [{ argv: ['tc', 'qdisc'], status: 1, failure: 'exit status 1' }],
    },
  },
  { kind: 'begin', pod: pod('killed'), command: 'ADD' },
  { command: 'GC', containerID: '', more: { pod: undefined, attachment: {} } },
];

/** Makes the folder for the tests of a file, and takes it away behind them. */
export function withScenes(): void {
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(() => {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    mkdirSync(confDir);
    const plugins = [{ type: 'bridge' }, { type: 'debug' }, { type: 'portmap' }];
    writeFileSync(
      join(confDir, '10-lab.conflist'),
      JSON.stringify({ cniVersion: '1.0.0', name: 'lab', plugins }),
    );
    const lines = scenes.map((scene, number) =>
      journalLine(number, { startedAt: seconds(number), ...scene }),
    );
    writeFileSync(journal, `${lines.join('\n')}\n`);
  });
}

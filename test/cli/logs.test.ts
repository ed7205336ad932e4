import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { executable, programs, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { containerIDOf, firstMade, journalLine, type MadeRecord } from '../trace/journal-lines.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

const cniDebug = executable.BIN;
const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
const journal = join(folder, 'journal.ndjson');
const confDir = join(folder, 'net.d');
const environment = { TZ: 'UTC', NETCONFPATH: confDir };
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

/** Types `cni-debug logs`. */
function logs(words: string | readonly string[], stdin = '') {
  const argv = typeof words === 'string' ? words.split(' ').filter(Boolean) : words;
  return run([cniDebug, 'logs', ...argv], { environment, stdin });
}

/** What it prints; it must end with 0 and say nothing else. */
async function shown(words: string | readonly string[], stdin = ''): Promise<string> {
  const answer = await logs(words, stdin);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  return answer.stdout;
}

/** The ends of lines that begin a call. */
async function pods(words: string | readonly string[], stdin = ''): Promise<(string | undefined)[]> {
  const heads = (await shown(words, stdin)).split('\n').filter((line) => /^\S/.test(line));
  return heads.map((line) => /default\/(\S+)/.exec(line)?.[1]);
}

const seconds = (count: number) => new Date(firstMade.getTime() + count * 1000);
const pod = (name: string) => ({ namespace: 'default', name });

/** One of everything that a line can be. */
const scenes: MadeRecord[] = [
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

beforeAll(() => {
  mkdirSync(confDir);
  const plugins = [{ type: 'bridge' }, { type: 'debug' }, { type: 'portmap' }];
  writeFileSync(
    join(confDir, '10-lab.conflist'),
    JSON.stringify({ cniVersion: '1.0.0', name: 'lab', plugins }),
  );
  const lines = scenes.map((scene, number) => journalLine(number, { startedAt: seconds(number), ...scene }));
  writeFileSync(journal, `${lines.join('\n')}\n`);
});

describe('pretty', () => {
  test('in a pipe a call is one line, whatever its length', async () => {
    expect(await shown(journal)).toMatchSnapshot();
  });

  test('steps, and a zone', async () => {
    expect(await shown(['--steps', '--utc', '-n', '1', journal])).toMatchSnapshot();
    const inTokyo = await run([cniDebug, 'logs', '-n1', journal], {
      environment: { ...environment, TZ: 'Asia/Tokyo' },
    });
    expect(inTokyo.stdout).toStartWith('2026-11-20 19:00:04.000 ');
  });

  describe.if(requires('script'))('on a terminal', () => {
    test.each([
      [80, false],
      [80, true],
      [160, false],
      [160, true],
    ])('%d columns, colours: %p', async (columns, colors) => {
      const line = `stty cols ${columns}; ${cniDebug} logs ${journal}`;
      const more = colors ? { TERM: 'xterm-256color' } : { NO_COLOR: '1', TERM: 'xterm-256color' };
      const answer = await run(['script', '-qec', line, '/dev/null'], {
        environment: { ...environment, ...more },
      });
      expect(answer.stdout.replaceAll('\r', '')).toMatchSnapshot();
    });
  });

  test('nothing that a record holds controls the terminal', async () => {
    const evil = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\u202egnp.exe\u200b';
    const made = {
      pod: { namespace: evil, name: evil },
      network: evil,
      command: evil,
      containerID: evil,
      address: evil,
    };
    const texts = { plugin: evil, findings: [{ message: evil }], hooks: [{ argv: [evil], failure: evil }] };
    const delegates = [{ type: evil, command: evil, failure: evil, stderr: evil }];
    const steps = [{ name: evil, duration: 1, error: evil }];
    const objects = { name: { toString: 1 }, duration: { valueOf: 1 } };
    const more = { ...texts, delegates, steps: [...steps, objects], process: { pid: evil, parent: evil } };
    const lines = [
      journalLine(0, { ...made, more }),
      journalLine(1, { ...made, error: { code: 7, msg: evil, details: evil }, more }),
      journalLine(2, { ...made, kind: 'begin', more }),
    ].join('\n');
    for (const words of ['--steps -', '--format text -']) {
      const text = await shown(words, lines);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/);
      expect(text).toContain('\\e[2J\\e]0;owned\\u0007\\u009b31m\\r\\n\\u202egnp.exe\\u200b');
    }
    expect(await shown('--format json -', lines)).toBe(`${lines}\n`);
  });
});

describe('other formats', () => {
  test('text is the layout of the text log', async () => {
    expect(await shown(['--format', 'text', journal])).toMatchSnapshot();
  });

  test('and has what the text log had', async () => {
    const number = '{"ips":[{"address":"10.1.0.2/16"}],"x":1.0,"y":9007199254740993,"cniVersion":"1.0.0"}';
    const line = journalLine(0).replace(/"result":\{.*\},"msg"/, `"result":${number},"msg"`);
    expect(await shown('--format text -', line)).toContain(`\nResult: ${number}\n`);
  });

  test('json is the lines as they are, also those that only begin', async () => {
    const lines = [
      journalLine(0, { kind: 'begin' }),
      journalLine(0),
      ` ${journalLine(1).replace('"v":1', '"v" : 1')} `,
    ];
    expect(await shown('--format json -', lines.join('\n'))).toBe(`${lines.join('\n')}\n`);
    expect(
      await shown('--format json --failed -', [...lines, journalLine(4, { kind: 'begin' })].join('\n')),
    ).toBe(`${journalLine(4, { kind: 'begin' })}\n`);
  });
});

describe('what is asked for', () => {
  test.each([
    ['--container', containerIDOf(44).slice(0, 8), ['broken']],
    ['--pod', 'default/killed', ['killed']],
    ['--network', 'none', []],
    ['--command', 'check', ['warned']],
    ['--failed', '', ['broken', 'killed']],
    ['--slower', '1s', ['warned', 'killed']],
    ['--slower', '100ms', ['broken', 'warned', 'killed']],
    ['--since', '2026-11-20T10:00:15Z', ['warned']],
    ['--until', '2026-11-20 10:00:01', ['nginx', 'broken']],
    ['-n', '2', ['killed', undefined]],
    ['-g', 'file exists', ['broken']],
    ['-g', 'File Exists', []],
    ['-g', 'mtu is \\d+', ['warned']],
    ['nginx', '', ['nginx']],
    ['default/', '', ['nginx', 'broken', 'warned', 'killed']],
    ['10.22.0.5', '', ['nginx']],
    ['10.22.0.50', '', []],
    [containerIDOf(44).slice(0, 12), '', ['broken']],
    ['0123456789abcdef', '', []],
  ])('%s %s', async (option, value, expected) => {
    const words = [option, value, journal].filter((word) => word !== '');
    if (expected.length > 0) expect(await pods(words)).toEqual(expected);
    else
      expect(await logs(words)).toMatchObject({
        status: 1,
        stdout: '',
        stderr: 'cni-debug logs: no record is so\n',
      });
  });

  test('newest first', async () => {
    expect(await pods(['-r', journal])).toEqual([undefined, 'killed', 'warned', 'broken', 'nginx']);
  });

  test('the ID of a record, as error messages name it', async () => {
    const id = JSON.parse(readFileSync(journal, 'utf8').split('\n')[1]!).id;
    expect(await pods([id, journal])).toEqual(['broken']);
  });

  test.each([
    [['a', 'b'], '"a" and "b" are no files'],
    [['-f', '-r', 'x'], 'take one of them'],
    [['-r', '-'], 'a pipe cannot be read from its end'],
    [['-n', 'some'], 'A count is a whole number.'],
    [['--since', 'tomorrow-ish'], 'A time is a duration before now'],
    [['--since', '2026-02-30'], 'A time is a duration before now'],
    [['--slower', '5'], 'A duration is a number and ms, s, m, h, d or w'],
    [['-g', '('], 'It is no regular expression'],
    [['--command', 'PATCH'], 'A command is ADD, DEL, CHECK, GC or STATUS.'],
    [['--format', 'xml'], 'Allowed choices are pretty, text, json.'],
  ])('%p is wrong usage', async (words, message) => {
    const answer = await logs(words);
    expect(answer).toMatchObject({ status: 2, stdout: '' });
    expect(answer.stderr).toContain(message);
  });
});

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

test('the program under Node shows the same', async () => {
  const node = [...(programs[1]?.[1] ?? []), 'logs'];
  const ofNode = (words: string[], stdin = '') => run([...node, ...words], { environment, stdin });
  expect((await ofNode([journal])).stdout).toBe(await shown(journal));
  expect((await ofNode(['-r', '--steps', journal])).stdout).toBe(await shown(['-r', '--steps', journal]));
  expect((await ofNode(['-n', '2', '-'], readFileSync(journal, 'utf8'))).status).toBe(0);
  const path = join(folder, 'for-node.ndjson');
  writeFileSync(`${path}.1.gz`, gzipSync(`${journalLine(1)}\n`));
  writeFileSync(path, journalLine(2));
  expect((await ofNode([path])).stdout).toBe(await shown(path));
  execFileSync('zstd', ['-q', '-', '-o', `${path}.2.zst`], { input: journalLine(0) });
  const answer = await ofNode([path]);
  // Node 20 has no zstd.
  if (answer.status !== 0)
    expect(answer.stderr).toContain(`${path}.2.zst: this program cannot read zstd: try zstdcat`);
  expect(answer.stdout).toContain('default/web-1');
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

describe('following', () => {
  /** `logs -f` with what it has printed. */
  class Following {
    readonly process: ChildProcess;
    text = '';

    constructor(words: readonly string[]) {
      const env = { PATH: process.env.PATH, ...environment };
      this.process = spawn(cniDebug, ['logs', '-f', ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      this.process.stdout?.on('data', (chunk) => (this.text += chunk));
    }

    /** The pods that there are calls of, once there are so many. */
    async pods(count: number): Promise<(string | undefined)[]> {
      const found = () => [...this.text.matchAll(/default\/(\S+)/g)].map(([, name]) => name);
      for (const end = Date.now() + 10_000; found().length < count && Date.now() < end; ) await Bun.sleep(20);
      return found();
    }

    async end(signal: NodeJS.Signals): Promise<number | null> {
      const exit = once(this.process, 'exit');
      this.process.kill(signal);
      return (await exit)[0];
    }

    [Symbol.dispose](): void {
      this.process.kill('SIGKILL');
    }
  }

  let count = 0;
  const path = () => join(folder, `followed-${count}.ndjson`);
  let written = 0;
  const write = (name: string, made: MadeRecord = {}) => {
    written += 1;
    appendFileSync(path(), `${journalLine(written, { ...made, pod: pod(name) })}\n`);
  };

  test('the last ten, then all that comes, through renaming and compressing', async () => {
    count += 1;
    for (let number = 0; number < 12; number += 1) write(`old${number}`);
    using following = new Following([path()]);
    expect(await following.pods(10)).toEqual(Array.from({ length: 10 }, (_, index) => `old${index + 2}`));
    write('a');
    await following.pods(11);
    write('b');
    renameSync(path(), `${path()}.1`);
    execFileSync('gzip', [`${path()}.1`]);
    write('c');
    renameSync(`${path()}.1.gz`, `${path()}.2.gz`);
    renameSync(path(), `${path()}.1`);
    write('d');
    expect((await following.pods(14)).slice(10)).toEqual(['a', 'b', 'c', 'd']);
    expect(await following.end('SIGINT')).toBe(0);
  });

  test('one that is made later, and only what is asked for', async () => {
    count += 1;
    using following = new Following(['--container', containerIDOf(8), path()]);
    await Bun.sleep(300);
    write('other');
    write('mine', { containerID: containerIDOf(8) });
    expect(await following.pods(1)).toEqual(['mine']);
    expect(await following.end('SIGTERM')).toBe(128 + 15);
  });

  test('a call that takes its time runs, then ends; one that is killed never does', async () => {
    count += 1;
    write('before');
    const sleeper = spawn('sleep', ['60']);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const more = { boot, process: { pid: sleeper.pid, ppid: 1, parent: 'containerd' } };
    const begin = (name: string, id: string, made = more) =>
      write(name, { kind: 'begin', id, startedAt: new Date(), more: made });
    using following = new Following([path()]);
    await following.pods(1);
    begin('quick', 'aa');
    write('quick', { id: 'aa' });
    begin('slow', 'bb');
    expect(await following.pods(3)).toEqual(['before', 'quick', 'slow']);
    expect(following.text).toMatch(
      /default\/slow eth0 lab running\n {4}process \d+, which containerd had started\n$/,
    );
    write('slow', { id: 'bb' });
    await following.pods(4);
    begin('killed', 'cc');
    await following.pods(5);
    expect(following.text).toMatch(/default\/killed eth0 lab running\n.*\n$/);
    sleeper.kill('SIGKILL');
    expect((await following.pods(6)).slice(3)).toEqual(['slow', 'killed', 'killed']);
    expect(following.text).toMatch(
      /default\/killed eth0 lab never ended\n {4}process \d+.* is gone without a word\n$/,
    );
    expect(await following.end('SIGINT')).toBe(0);
  });
});

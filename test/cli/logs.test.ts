import { describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { programs, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { containerIDOf, journalLine } from '../trace/journal-lines.ts';
import { cniDebug, environment, folder, journal, logs, pods, shown, withScenes } from './logged.ts';

withScenes();

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

import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable, run } from '../program.ts';

const cniDebug = executable.BIN;
const help = await run([cniDebug, '--help']);
const verbs = [...help.stdout.matchAll(/^ {2}([a-z]+) .*\n/gm)].map(([, name = '']) => name);

test('the list of verbs', () => {
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(help.stdout).toMatchSnapshot();
});

describe.each(verbs.filter((name) => name !== 'help'))('%s', (name) => {
  test('has a help with examples', async () => {
    const answer = await run([cniDebug, name, '--help']);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout).toMatch(new RegExp(`\nExamples:\n  # .*\n  cni-debug ${name}`));
    expect(answer.stdout).toMatchSnapshot();
    expect((await run([cniDebug, 'help', name])).stdout).toBe(answer.stdout);
  });

  test('is in a file of its name', () => {
    const file = name === 'complete' ? 'completion' : name;
    expect(existsSync(join(import.meta.dir, `../../src/cli/${file}.ts`))).toBe(true);
  });

  test('refuses what it does not know', async () => {
    const answer = await run([cniDebug, name, '--bogus']);
    expect(answer).toMatchObject({ status: 2, stdout: '' });
    expect(answer.stderr).toMatch(/^cni-debug: (unknown option '--bogus'|required option )/);
  });
});

describe('completion', () => {
  const complete = async (...words: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
    try {
      writeFileSync(join(folder, '10-lab.conf'), '{"name":"lab","type":"bridge"}');
      const environment = { NETCONFPATH: folder };
      const { stdout } = await run([cniDebug, 'complete', '--', ...words], { environment });
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test.each(['bash', 'zsh', 'fish'])('the script for %s', async (shell) => {
    const { status, stdout, stderr } = await run([cniDebug, 'completion', shell]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('cni-debug complete --');
  });

  test('bash takes its script', async () => {
    const { stdout } = await run([cniDebug, 'completion', 'bash']);
    const sourced = await run(['bash', '--norc', '-c', `${stdout}\ncomplete -p cni-debug`]);
    expect(sourced).toMatchObject({ status: 0, stderr: '' });
    expect(sourced.stdout).toContain('__cni_debug_complete cni-debug');
  });

  test('verbs, options and networks', async () => {
    expect(await complete('de')).toEqual(['del', 'detach', 'demo', ':4']);
    expect(await complete('add', '--cap')).toEqual(['--capabilities', ':4']);
    expect(await complete('add', '')).toEqual(['lab', ':4']);
    expect(await complete('exec', 'l')).toEqual(['lab', ':4']);
  });

  test('an unknown shell is wrong usage', async () => {
    expect(await run([cniDebug, 'completion', 'tcsh'])).toMatchObject({ status: 2, stdout: '' });
  });
});

test('every verb stands in the README', () => {
  const page = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8');
  expect(verbs.filter((name) => !page.includes(`cni-debug ${name}`) && name !== 'help')).toEqual([]);
});

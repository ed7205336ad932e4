import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { builtInPath, debug, programs, run } from '../program.ts';
import { requires } from '../requirements.ts';

const cniDebug = join(dirname(debug[0] ?? ''), 'cni-debug');
const root = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
// Also for those who are not root.
chmodSync(root, 0o755);

/** A directory of its own with these files. */
function directory(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(root, 'net.d-'));
  chmodSync(path, 0o755);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(path, name), text);
    chmodSync(join(path, name), 0o644);
  }
  return path;
}

const lint = (words: readonly string[], environment = {}) =>
  run([cniDebug, 'lint', ...words], { environment });

const sound = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge",
      "isDefaultGateway": true,
      "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.213.0.0/16" }]] }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
`;

const broken = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    { "type": "portmap" },
    {
      "type": "bridge",
      "isGatway": true,
      "mtu": "1500",
\t"vlan": 5000,
      "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.213.0.0/16", "gateway": "10.1.0.1" }]] }
    }
  ]
}
`;

describe.each([
  ['the executable', [cniDebug]],
  ['the program under Node', programs[1]?.[1] ?? []],
])('%s', (_, argv) => {
  test('says of a sound directory that there is nothing', async () => {
    const path = directory({ '10-pods.conflist': sound });
    const answer = await run([...argv, 'lint', path, '--plugin-dir', builtInPath]);
    expect(answer).toEqual({
      status: 0,
      signal: null,
      stderr: '',
      stdout: '1 file, 1 network: nothing found\n',
    });
  });

  test('points at every fault, without colours in a pipe', async () => {
    const path = directory({ '10-pods.conflist': broken });
    const answer = await run([...argv, 'lint', path, '--files-only']);
    expect(answer).toMatchObject({ status: 1, stderr: '' });
    expect(answer.stdout.replaceAll(path, 'DIR')).toMatchSnapshot();
  });

  test('prints JSON for programs', async () => {
    const path = directory({ '10-pods.conflist': broken });
    const answer = await run([...argv, 'lint', path, '--files-only', '--format', 'json']);
    expect(answer).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(answer.stdout.replaceAll(path, 'DIR'))).toMatchSnapshot();
  });
});

test('--json is --format json, and nothing found is an empty list', async () => {
  const path = directory({ '10-pods.conflist': sound });
  expect(await lint([path, '--files-only', '--json'])).toMatchObject({ status: 0, stdout: '[]\n' });
});

test('info is said and changes no status', async () => {
  const path = directory({ '10-a.conflist': sound, '99-loopback.conf': '{ "type": "loopback" }' });
  const answer = await lint([path, '--plugin-dir', builtInPath]);
  expect(answer.status).toBe(0);
  expect(answer.stdout).toContain(' info L026 picked-file: ');
  expect(answer.stdout).toEndWith('2 files, 2 networks: nothing found\n');
});

test('a single file is looked at by itself', async () => {
  const path = directory({ '10-a.conflist': sound, '20-b.conflist': sound });
  expect(await lint([join(path, '20-b.conflist'), '--files-only'])).toMatchObject({ status: 0 });
  expect((await lint([path, '--files-only'])).stdout).toContain('L025 same-network-name');
});

test('NETCONFPATH and CNI_PATH are where it looks unless told', async () => {
  const path = directory({ '10-a.conflist': sound });
  const environment = { NETCONFPATH: path, CNI_PATH: builtInPath };
  expect(await lint([], environment)).toMatchObject({ status: 0 });
  const elsewhere = await lint([], { ...environment, CNI_PATH: '/nonexistent' });
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stdout).toContain('plugin "bridge" was not found in /nonexistent');
});

test('names chmod for a plugin that nobody may execute', async () => {
  const bin = mkdtempSync(join(root, 'bin-'));
  writeFileSync(join(bin, 'bridge'), '#!/bin/sh\n', { mode: 0o644 });
  symlinkSync(join(builtInPath, 'portmap'), join(bin, 'portmap'));
  const answer = await lint([directory({ '10-a.conflist': sound }), '--plugin-dir', bin]);
  expect(answer.status).toBe(1);
  expect(answer.stdout).toContain(`fix: chmod +x ${bin}/bridge\n`);
});

describe('what cannot be looked at', () => {
  test('nothing there', async () => {
    const answer = await lint([join(root, 'nowhere')]);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain(`stat "${join(root, 'nowhere')}": No such file or directory (ENOENT)`);
  });

  test.each([[['a', 'b']], [['--format', 'xml']], [['--nonsense']]])('wrong words: %j', async (words) => {
    expect(await lint(words)).toMatchObject({ status: 2, stdout: '' });
  });

  describe.if(requires('root'))('as somebody else than root', () => {
    const asNobody = (words: string[]) =>
      run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', cniDebug, 'lint', ...words]);

    test('a file that only root may read is said, and the others are looked at', async () => {
      const path = directory({ '10-a.conflist': sound, '20-b.conflist': sound });
      chmodSync(join(path, '20-b.conflist'), 0o600);
      const answer = await asNobody([path, '--plugin-dir', builtInPath]);
      expect(answer).toMatchObject({ status: 3, stdout: '1 file, 1 network: nothing found\n' });
      expect(answer.stderr).toBe(
        `cni-debug lint: not looked at: open "${path}/20-b.conflist": Permission denied (EACCES)\n`,
      );
    });

    test('and so is a plugin that only root may execute', async () => {
      const bin = mkdtempSync(join(root, 'bin-'));
      chmodSync(bin, 0o755);
      writeFileSync(join(bin, 'loopback'), '#!/bin/sh\n', { mode: 0o700 });
      const path = directory({
        '10-a.conflist': '{ "cniVersion": "1.0.0", "name": "lo", "plugins": [{ "type": "loopback" }] }',
      });
      const answer = await asNobody([path, '--plugin-dir', bin]);
      expect(answer.status).toBe(3);
      expect(answer.stderr).toContain(`${bin}/loopback: this user may not execute it: run it as root`);
    });

    test('a directory that only root may read is nothing to look at', async () => {
      const path = join(root, 'closed');
      mkdirSync(path, { mode: 0o700 });
      const answer = await asNobody([path]);
      expect(answer).toMatchObject({ status: 3, stdout: '' });
      expect(answer.stderr).toContain('run it as root');
    });
  });
});

test('--help has examples and the statuses', async () => {
  const { stdout } = await lint(['--help']);
  for (const part of ['Examples:', '--plugin-dir', '--files-only', '/etc/cni/net.d', 'Exit status:'])
    expect(stdout).toContain(part);
});

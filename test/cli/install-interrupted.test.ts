import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { executable, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { debugged, InstallSite } from './install-site.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s takes back what was begun', async (signal) => {
  using site = new InstallSite();
  const before = site.listing();
  let isOver = false;
  const started = async (pid: number) => {
    // While it writes the executable.
    const isCopying = () => existsSync(join(site.bin, '.cni-debug.cni-debug-new'));
    while (!isOver && !isCopying()) await Bun.sleep(1);
    if (!isOver) process.kill(pid, signal);
  };
  const argv = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0'];
  const answer = await site.call(argv, { started });
  isOver = true;
  expect(answer).toMatchObject({ status: 1, signal: null, stdout: '' });
  expect(answer.stderr).toContain(`ended by ${signal}`);
  expect(site.listing()).toEqual(before);
});

test.each([
  ['plugin', 'opt/cni/bin/debug'],
  ['conflist', 'net.d/10-flannel.conflist'],
])('a %s that somebody writes meanwhile is not lost', async (_, name) => {
  using site = new InstallSite();
  mkdirSync(site.bin, { recursive: true });
  const text = debugged.replace('0.3.1', '1.0.0');
  let isOver = false;
  const started = async () => {
    const isCopying = () => existsSync(join(site.bin, '.cni-debug.cni-debug-new'));
    while (!isOver && !isCopying()) await Bun.sleep(1);
    site.write(name, text);
  };
  const argv = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0', '--force'];
  const answer = await site.call(argv, { started });
  isOver = true;
  expect(answer).toMatchObject({ status: 1, stdout: '' });
  expect(answer.stderr).toContain(`somebody changed ${join(site.folder, name)} just now`);
  expect(site.read(name)).toBe(text);
  expect(site.names().filter((each) => each.includes('cni-debug'))).toEqual([]);
});

describe.if(requires('root'))('what cannot be done is not half done', () => {
  /** Runs it where a folder of the site is another file system. */
  const mounted = (site: InstallSite, script: string, ...argv: string[]) =>
    site.call([
      'unshare',
      '-m',
      'sh',
      '-c',
      `${script}; shift; "$@"; s=$?; ls -A "$0" >&2; exit $s`,
      site.bin,
      site.net,
      ...argv,
    ]);

  test.each([
    ['the executable', '20m'],
    ['the library', '500k'],
  ])('a full disk, with room for less than %s', async (_, size) => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing();
    const mount = `mount -t tmpfs -o size=${size} tmpfs "$0" || exit 9`;
    const install = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0'];
    const answer = await mounted(site, mount, ...install);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('No space left on device (ENOSPC)');
    // Nothing is what is listed.
    expect(answer.stderr).toEndWith('run it again\n');
    expect(site.listing()).toEqual(before);
  });

  test.each([
    ['plugins', '"$0"'],
    ['conflists', '"$1"'],
  ])('a folder of %s that is read-only', async (_, folder) => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing();
    const mount = `mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder} || exit 9`;
    const install = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0', '--force'];
    const answer = await mounted(site, mount, ...install);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('Read-only file system (EROFS)');
    expect(site.listing()).toEqual(before);
  });

  test('a conflist that cannot be replaced: the plugins are taken back, too', async () => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing();
    const mount = `mount --bind "$1"/10-flannel.conflist "$1"/10-flannel.conflist || exit 9`;
    const install = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0', '--force'];
    const answer = await mounted(site, mount, ...install);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(`"${site.conflist}"`);
    expect(site.listing()).toEqual(before);
  });

  test('without rights', async () => {
    using site = new InstallSite();
    chmodSync(site.folder, 0o755);
    const before = site.listing();
    const nobody = ['setpriv', '--reuid=65534', '--clear-groups', executable.BIN];
    const answer = await site.call([...nobody, 'install', '--plugin-dir', site.bin]);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('Permission denied (EACCES)');
    expect(answer.stderr).toContain('as root');
    expect(site.listing()).toEqual(before);
  });
});

test('several at once come to the same', async () => {
  using site = new InstallSite();
  const before = site.listing();
  const older = site.otherVersion();
  const answers = await Promise.all([
    site.install('--into', 'cbr0'),
    site.call([older, 'install', '--plugin-dir', site.bin, '--into', 'cbr0', '--wrap']),
    site.install('--names', 'all'),
    site.install('--into', 'cbr0'),
  ]);
  expect(answers.map(({ status, stderr }) => [status, stderr])).toEqual(answers.map(() => [0, '']));
  expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
  expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
  await Promise.all([
    site.uninstall('--into', 'cbr0', '--force'),
    site.uninstall('--into', 'cbr0', '--force'),
  ]);
  expect(site.listing()).toEqual(before);
});

test('install and uninstall at once leave one or the other', async () => {
  using site = new InstallSite();
  const before = site.listing();
  for (let round = 0; round < 4; round += 1) {
    const answers = await Promise.all([site.install(), site.uninstall('--force'), site.install()]);
    expect(answers.map(({ status, stderr }) => [status, stderr])).toEqual(answers.map(() => [0, '']));
    expect(existsSync(join(site.bin, 'debug'))).toBe(existsSync(join(site.bin, 'cni-debug')));
  }
  await site.uninstall();
  expect(site.listing()).toEqual(before);
});

test('calls go on while the executable is replaced', async () => {
  using site = new InstallSite();
  const older = site.otherVersion();
  await site.install();
  let isOver = false;
  let calls = 0;
  const calling = async () => {
    for (; !isOver; calls += 1) {
      const answer = await run([join(site.bin, 'debug')], { environment: { CNI_COMMAND: 'VERSION' } });
      expect(answer).toMatchObject({ status: 0, stderr: '' });
      expect(JSON.parse(answer.stdout).supportedVersions).toContain('1.1.0');
    }
  };
  const replacing = async () => {
    for (let round = 0; round < 6; round += 1) {
      const program = round % 2 === 0 ? older : executable.BIN;
      const answer = await site.call([program, 'install', '--plugin-dir', site.bin]);
      expect(answer.stdout).toBe(`copied ${site.bin}/cni-debug\n`);
    }
    isOver = true;
  };
  await Promise.all([calling(), calling(), replacing().finally(() => (isOver = true))]);
  expect(calls).toBeGreaterThan(20);
});

import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { executable, programs, run } from '../program.ts';
import { InstallSite } from './install-site.ts';

const ours = ['.cni-debug.json', 'cni-debug', 'debug', 'koffi.node'];

describe('the folder of plugins', () => {
  test('executable, library and link; the folder is made', async () => {
    using site = new InstallSite();
    const answer = await site.install();
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout.split('\n')).toEqual([
      `made ${join(site.folder, 'opt')}`,
      `made ${join(site.folder, 'opt/cni')}`,
      `made ${site.bin}`,
      `copied ${site.bin}/koffi.node`,
      `copied ${site.bin}/cni-debug`,
      `linked ${site.bin}/debug -> cni-debug`,
      '',
      'To put debug into the chain of a network:',
      `    cni-debug install --plugin-dir ${site.bin} --into NETWORK`,
      '',
    ]);
    expect(site.names()).toEqual(['net.d/10-flannel.conflist', ...ours]);
    for (const [name, source, mode] of [
      ['cni-debug', executable.BIN, 0o755],
      ['koffi.node', executable.KOFFI, 0o644],
    ] as const) {
      expect(readFileSync(join(site.bin, name)).equals(readFileSync(source))).toBe(true);
      expect(statSync(join(site.bin, name)).mode & 0o7777).toBe(mode);
    }
    expect(readlinkSync(join(site.bin, 'debug'))).toBe('cni-debug');
    expect(statSync(site.bin).mode & 0o7777).toBe(0o755);
    const call = await run([join(site.bin, 'debug')], { environment: { CNI_COMMAND: 'VERSION' } });
    expect(JSON.parse(call.stdout).supportedVersions).toContain('1.1.0');
  });

  test('modes do not depend on the umask', async () => {
    using site = new InstallSite();
    const words = ['install', '--plugin-dir', site.bin];
    const answer = await site.call(['sh', '-c', 'umask 0077; exec "$@"', '-', executable.BIN, ...words]);
    expect(answer.status).toBe(0);
    const modes = ['.', 'cni-debug', 'koffi.node', '.cni-debug.json'].map((name) =>
      (statSync(join(site.bin, name)).mode & 0o7777).toString(8),
    );
    expect(modes).toEqual(['755', '755', '644', '644']);
  });

  test('all names, and names of one’s own', async () => {
    using site = new InstallSite();
    expect(await site.install('--names', 'all')).toMatchObject({ status: 0 });
    const links = [
      'bridge',
      'debug',
      'flannel',
      'host-local',
      'host-routes',
      'loopback',
      'macvlan',
      'portmap',
    ];
    expect(site.names().filter((name) => !name.includes('/'))).toEqual(
      [...links, '.cni-debug.json', 'cni-debug', 'koffi.node'].sort(),
    );
    expect(await site.install('--names', 'look,at-it')).toMatchObject({ status: 0 });
    for (const name of [...links, 'look', 'at-it'])
      expect(readlinkSync(join(site.bin, name))).toBe('cni-debug');
  });

  test.each([
    [['--names', 'a/b']],
    [['--names', '']],
    [['--names', 'debug,,x']],
    [['--names', 'cni-debug']],
    [['--names', 'koffi.node']],
    [['--names', '..']],
    [['--names', '.x']],
    [['--after', 'x']],
    [['--wrap']],
    [['--into', 'cbr0', '--after', 'flannel', '--wrap']],
    [['--into', 'cbr0', '--names', 'bridge']],
    [['--plugin-dir']],
    [['more']],
  ])('%j is wrong usage, and nothing is done', async (words) => {
    using site = new InstallSite();
    const before = site.listing();
    expect(await site.install(...words)).toMatchObject({ status: 2, stdout: '' });
    expect(site.listing()).toEqual(before);
  });

  test('twice changes nothing', async () => {
    using site = new InstallSite();
    for (const words of [
      [],
      ['--names', 'all'],
      ['--into', 'cbr0'],
      ['--into', 'cbr0', '--wrap', 'portmap'],
    ]) {
      expect(await site.install(...words)).toMatchObject({ status: 0 });
      const before = [site.listing(), lstatSync(site.bin).mtimeMs, lstatSync(site.net).mtimeMs];
      const answer = await site.install(...words);
      expect(answer).toMatchObject({ status: 0, stdout: 'Nothing to do: everything is in its place.\n' });
      expect([site.listing(), lstatSync(site.bin).mtimeMs, lstatSync(site.net).mtimeMs]).toEqual(before);
    }
  });

  test.each([
    ['in a folder with a plugin of somebody else', true],
    ['where no folder is', false],
  ])('--dry-run writes nothing, and says the same: %s', async (_, isThere) => {
    using site = new InstallSite();
    if (isThere) site.makeBin();
    const times = () => [site.folder, site.net].map((path) => lstatSync(path).mtimeMs);
    const before = [...site.listing(), ...times()];
    const dry = await site.install('--into', 'cbr0', '--force', '--dry-run');
    expect(dry).toMatchObject({ status: 0, stderr: '' });
    expect([...site.listing(), ...times()]).toEqual(before);
    const wet = await site.install('--into', 'cbr0', '--force');
    const [first, ...lines] = dry.stdout.split('\n');
    expect(first).toContain('Nothing was written');
    expect(wet.stdout).toStartWith(lines.join('\n'));
  });

  test('a plugin of somebody else is not replaced', async () => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing();
    const answer = await site.install('--into', 'cbr0');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(`${site.bin}/debug is not ours`);
    expect(answer.stderr).toContain('--force');
    expect(site.listing()).toEqual(before);
  });

  test('with --force it is kept as it was', async () => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing().find((line) => line.includes('/debug '));
    const answer = await site.install('--force');
    expect(answer).toMatchObject({ status: 0 });
    expect(answer.stdout).toContain(`kept ${site.bin}/debug as debug.cni-debug-backup\n`);
    expect(site.listing()).toContain(before?.replace('/debug ', '/debug.cni-debug-backup ') ?? '');
    expect(readlinkSync(join(site.bin, 'debug'))).toBe('cni-debug');
    expect(await site.install()).toMatchObject({ stdout: 'Nothing to do: everything is in its place.\n' });
  });

  test('what a package puts over ours is somebody else’s again, and both are kept', async () => {
    using site = new InstallSite();
    site.makeBin();
    await site.install('--force');
    const path = join(site.bin, 'debug');
    await run(['rm', path]);
    writeFileSync(path, 'newer');
    expect(await site.install()).toMatchObject({ status: 1 });
    expect(await site.install('--force')).toMatchObject({ status: 0 });
    expect(readFileSync(`${path}.cni-debug-backup`, 'utf8')).toContain('exit 7');
    expect(readFileSync(`${path}.cni-debug-backup-2`, 'utf8')).toBe('newer');
    const answer = await site.uninstall();
    expect(answer.status).toBe(1);
    expect(answer.stdout).toContain(`left ${path}.cni-debug-backup (an earlier backup of debug)\n`);
    expect(readFileSync(path, 'utf8')).toBe('newer');
  });

  test('a folder is no plugin, whatever is forced', async () => {
    using site = new InstallSite();
    mkdirSync(join(site.bin, 'debug'), { recursive: true });
    const answer = await site.install('--force');
    expect(answer).toMatchObject({ status: 1 });
    expect(answer.stderr).toContain(`${site.bin}/debug is a folder`);
    expect(answer.stderr).not.toContain('--force');
  });

  test('an older version of ours is replaced without a word', async () => {
    using site = new InstallSite();
    const older = site.otherVersion();
    expect(await site.call([older, 'install', '--plugin-dir', site.bin])).toMatchObject({ status: 0 });
    expect(readFileSync(join(site.bin, 'cni-debug')).equals(readFileSync(older))).toBe(true);
    expect((await site.install()).stdout).toBe(`copied ${site.bin}/cni-debug\n`);
    expect(site.names()).toEqual(['net.d/10-flannel.conflist', ...ours]);
    expect(readFileSync(join(site.bin, 'cni-debug')).equals(readFileSync(executable.BIN))).toBe(true);
  });

  test('what was copied by hand is ours, also with a wrong mode, and comes back as it was', async () => {
    using site = new InstallSite();
    mkdirSync(site.bin, { recursive: true });
    copyFileSync(executable.BIN, join(site.bin, 'cni-debug'));
    chmodSync(join(site.bin, 'cni-debug'), 0o600);
    symlinkSync(join(site.bin, 'cni-debug'), join(site.bin, 'debug'));
    const before = site.listing();
    expect(await site.install()).toMatchObject({ status: 0 });
    expect(statSync(join(site.bin, 'cni-debug')).mode & 0o7777).toBe(0o755);
    expect(readlinkSync(join(site.bin, 'debug'))).toBe(join(site.bin, 'cni-debug'));
    expect((await site.install()).stdout).toStartWith('Nothing to do');
    expect(await site.uninstall()).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('a copy of the executable under the name of a plugin is ours', async () => {
    using site = new InstallSite();
    mkdirSync(site.bin, { recursive: true });
    copyFileSync(executable.BIN, join(site.bin, 'debug'));
    const before = site.listing();
    expect(await site.install()).toMatchObject({ status: 0 });
    expect(readlinkSync(join(site.bin, 'debug'))).toBe('cni-debug');
    expect(await site.uninstall()).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('installed by the executable that lies there already', async () => {
    using site = new InstallSite();
    mkdirSync(site.bin, { recursive: true });
    copyFileSync(executable.BIN, join(site.bin, 'cni-debug'));
    const answer = await site.call([join(site.bin, 'cni-debug'), 'install', '--plugin-dir', site.bin]);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    // The library comes from inside the executable.
    expect(readFileSync(join(site.bin, 'koffi.node')).equals(readFileSync(executable.KOFFI))).toBe(true);
  });

  test('a folder that is a link is followed', async () => {
    using site = new InstallSite();
    mkdirSync(join(site.folder, 'real'));
    mkdirSync(join(site.folder, 'opt/cni'), { recursive: true });
    symlinkSync('../../real', site.bin);
    expect(await site.install()).toMatchObject({ status: 0 });
    expect(existsSync(join(site.folder, 'real/debug'))).toBe(true);
    expect(await site.uninstall()).toMatchObject({ status: 0 });
    expect(site.listing().filter((line) => line.startsWith('real/'))).toEqual([]);
    expect(readlinkSync(site.bin)).toBe('../../real');
  });

  test('warns of a folder that others can write', async () => {
    using site = new InstallSite();
    mkdirSync(site.bin, { recursive: true });
    chmodSync(site.bin, 0o775);
    const answer = await site.install();
    expect(answer.status).toBe(0);
    expect(answer.stderr).toContain(
      'writable by its group or by others: koffi.node is not loaded from there',
    );
  });

  test('under Node it names the executable', async () => {
    using site = new InstallSite();
    const answer = await site.call([...(programs[1]?.[1] ?? []), 'install', '--plugin-dir', site.bin]);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('dist/cni-debug install');
    expect(site.names()).toEqual(['net.d/10-flannel.conflist']);
  });

  test('--json', async () => {
    using site = new InstallSite();
    site.makeBin();
    const { status, stdout } = await site.install('--json', '--force', '--into', site.conflist);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      dryRun: false,
      files: [
        { path: `${site.bin}/koffi.node`, action: 'copied' },
        { path: `${site.bin}/cni-debug`, action: 'copied' },
        { path: `${site.bin}/debug`, action: 'kept', as: 'debug.cni-debug-backup' },
        { path: `${site.bin}/debug`, action: 'linked', target: 'cni-debug' },
        { path: site.conflist, action: 'kept', as: '10-flannel.conflist.cni-debug-backup' },
        { path: site.conflist, action: 'edited', note: 'inserted "debug" behind "flannel"' },
      ],
      conflist: {
        path: site.conflist,
        backup: `${site.conflist}.cni-debug-backup`,
        diff: expect.stringContaining('\n+    { "type": "debug" },\n'),
      },
      warnings: [],
    });
  });
});

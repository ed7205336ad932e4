import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable, programs } from '../program.ts';
import { debugged, flannel, InstallSite } from './install-site.ts';

describe('everything is what it was: content, mode, owner, time', () => {
  test.each([
    ['nothing but a link', []],
    ['other names', ['--names', 'bridge,look']],
    ['in the chain', ['--into', 'cbr0']],
    ['around the chain', ['--into', 'cbr0', '--wrap']],
  ])('%s, in a folder that install made', async (_, words) => {
    using site = new InstallSite();
    const before = site.listing();
    await site.install(...words);
    const answer = await site.uninstall(...words.slice(0, words[0] === '--into' ? 2 : 0));
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(site.listing()).toEqual(before);
  });

  test('plugins of somebody else', async () => {
    using site = new InstallSite();
    site.makeBin();
    site.write('opt/cni/bin/cni-debug', 'not ours at all', 0o700);
    site.write('opt/cni/bin/koffi.node', 'neither', 0o600);
    symlinkSync('/usr/lib/cni/portmap', join(site.bin, 'portmap'));
    symlinkSync('nowhere', join(site.bin, 'macvlan'));
    const before = site.listing();
    expect(await site.install('--names', 'all', '--into', 'cbr0', '--force')).toMatchObject({ status: 0 });
    expect(await site.install('--into', 'cbr0', '--wrap', 'portmap')).toMatchObject({ status: 0 });
    expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('after an upgrade, too', async () => {
    using site = new InstallSite();
    site.makeBin();
    const before = site.listing();
    const older = site.otherVersion();
    const words = ['install', '--plugin-dir', site.bin, '--force', '--into', 'cbr0'];
    expect(await site.call([older, ...words])).toMatchObject({ status: 0 });
    expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('what comes into a folder that install made keeps it', async () => {
    using site = new InstallSite();
    await site.install();
    writeFileSync(join(site.bin, 'other'), 'x');
    expect((await site.uninstall()).stdout).not.toContain(`removed ${site.bin}\n`);
    expect(site.names()).toEqual(['net.d/10-flannel.conflist', 'other']);
  });
});

test('twice, and where install never was, there is nothing to do', async () => {
  using site = new InstallSite();
  await site.install('--into', 'cbr0');
  await site.uninstall('--into', 'cbr0');
  for (const words of [[], ['--into', 'cbr0']]) {
    const answer = await site.uninstall(...words);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout).toContain('Nothing to do: nothing of install is here.\n');
  }
});

test('under Node, too', async () => {
  using site = new InstallSite();
  const before = site.listing();
  await site.install('--into', 'cbr0');
  const words = ['uninstall', '--plugin-dir', site.bin, '--into', 'cbr0'];
  const answer = await site.call([...(programs[1]?.[1] ?? []), ...words]);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  expect(answer.stdout).toContain('-    { "type": "debug" },\n');
  expect(site.listing()).toEqual(before);
});

test('--dry-run writes nothing', async () => {
  using site = new InstallSite();
  await site.install('--into', 'cbr0');
  const before = site.listing();
  const { stdout } = await site.uninstall('--into', 'cbr0', '--dry-run');
  for (const line of [`restored ${site.conflist}`, `removed ${site.bin}/debug`, '-    { "type": "debug" },'])
    expect(stdout).toContain(`${line}\n`);
  expect(site.listing()).toEqual(before);
});

test('--json', async () => {
  using site = new InstallSite();
  mkdirSync(site.bin, { recursive: true });
  await site.install('--into', 'cbr0');
  const { stdout } = await site.uninstall('--into', 'cbr0', '--json');
  expect(JSON.parse(stdout)).toEqual({
    dryRun: false,
    files: [
      { path: site.conflist, action: 'restored' },
      { path: `${site.bin}/debug`, action: 'removed' },
      { path: `${site.bin}/koffi.node`, action: 'removed' },
      { path: `${site.bin}/cni-debug`, action: 'removed' },
    ],
    conflists: [
      {
        path: site.conflist,
        backup: `${site.conflist}.cni-debug-backup`,
        diff: expect.stringContaining('\n-    { "type": "debug" },\n'),
      },
    ],
    warnings: [],
  });
});

describe('a conflist', () => {
  test('that is a link is one again, and what it points to was never touched', async () => {
    using site = new InstallSite();
    renameSync(site.conflist, join(site.folder, 'elsewhere'));
    symlinkSync('../elsewhere', site.conflist);
    const before = site.listing();
    expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
    expect(site.read('elsewhere')).toBe(flannel);
    expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('in a folder that is a link', async () => {
    using site = new InstallSite();
    const before = site.listing();
    const link = join(site.folder, 'link');
    symlinkSync('net.d', link);
    const named = { environment: { NETCONFPATH: link } };
    const words = ['--plugin-dir', site.bin, '--into', 'cbr0'];
    expect(await site.call([executable.BIN, 'install', ...words], named)).toMatchObject({ status: 0 });
    expect(await site.call([executable.BIN, 'uninstall', ...words], named)).toMatchObject({ status: 0 });
    rmSync(link);
    expect(site.listing()).toEqual(before);
  });

  test('that was installed with another folder of plugins', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const words = ['--plugin-dir', join(site.folder, 'other'), '--into', 'cbr0'];
    const answer = await site.call([executable.BIN, 'uninstall', ...words]);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('another --plugin-dir');
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
  });

  test('that still calls what goes away stops it, unless it is forced', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const before = site.listing();
    const answer = await site.uninstall();
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(`${site.conflist} still calls "debug"`);
    expect(answer.stderr).toContain(`uninstall --plugin-dir ${site.bin} --into ${site.conflist}\n`);
    expect(site.listing()).toEqual(before);
    const forced = await site.uninstall('--force');
    expect(forced.status).toBe(0);
    expect(forced.stderr).toContain(`${site.conflist}.cni-debug-backup stays`);
    // The backup alone is enough, when what is there now says the same.
    site.write('net.d/10-flannel.conflist', JSON.stringify(JSON.parse(flannel)));
    expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.names()).toEqual(['net.d/10-flannel.conflist']);
  });

  test('into which debug came by hand stops it, too', async () => {
    using site = new InstallSite();
    await site.install();
    site.write('net.d/10-flannel.conflist', debugged);
    const answer = await site.uninstall();
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('take "debug" out of it first');
  });

  test('that calls a built-in plugin of which there is no other stops it', async () => {
    using site = new InstallSite();
    await site.install('--names', 'flannel');
    const answer = await site.uninstall();
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain(`${site.conflist} still calls "flannel"`);
  });

  test('one of two', async () => {
    using site = new InstallSite();
    site.write('net.d/20-other.conflist', flannel.replace('cbr0', 'other'));
    const before = site.listing();
    await site.install('--into', 'cbr0');
    await site.install('--into', 'other');
    const one = await site.uninstall('--into', 'cbr0');
    expect(one.status).toBe(1);
    expect(one.stderr).toContain(`--into ${site.conflist} --into ${join(site.net, '20-other.conflist')}\n`);
    expect(await site.uninstall('--into', 'cbr0', '--into', 'other')).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('alone, with --keep-plugins', async () => {
    using site = new InstallSite();
    const before = site.listing();
    await site.install('--into', 'cbr0');
    expect(await site.uninstall('--keep-plugins')).toMatchObject({ status: 2 });
    expect(await site.uninstall('--into', 'cbr0', '--keep-plugins')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(flannel);
    expect(readlinkSync(join(site.bin, 'debug'))).toBe('cni-debug');
    // In and out again, and then altogether.
    await site.install('--into', 'cbr0', '--wrap');
    expect(await site.uninstall('--into', 'cbr0', '--keep-plugins')).toMatchObject({ status: 0 });
    expect(await site.uninstall()).toMatchObject({ status: 0 });
    expect(site.listing()).toEqual(before);
  });

  test('that says what it said before is left as it is', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const anew = JSON.stringify({ plugins: JSON.parse(flannel).plugins, name: 'cbr0', cniVersion: '0.3.1' });
    site.write('net.d/10-flannel.conflist', anew);
    const answer = await site.uninstall('--into', 'cbr0');
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout).toContain(`unchanged ${site.conflist} (it says what it said before install)\n`);
    expect(site.read('net.d/10-flannel.conflist')).toBe(anew);
    expect(site.names()).toEqual(['net.d/10-flannel.conflist']);
  });

  test('that somebody changed stops it; forced, both are kept', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const changed = debugged.replace('0.3.1', '1.0.0');
    site.write('net.d/10-flannel.conflist', changed);
    const before = site.listing();
    const answer = await site.uninstall('--into', 'cbr0');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('\n-    { "type": "debug" },\n');
    expect(answer.stderr).toContain(
      '--force puts that back, and keeps it as 10-flannel.conflist.cni-debug-changed\n',
    );
    expect(site.listing()).toEqual(before);
    expect(await site.uninstall('--into', 'cbr0', '--force')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(flannel);
    expect(site.read('net.d/10-flannel.conflist.cni-debug-changed')).toBe(changed);
  });

  test('that somebody removed stops it, too', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    rmSync(site.conflist);
    const answer = await site.uninstall('--into', site.conflist);
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('was removed by somebody');
    expect(await site.uninstall('--into', site.conflist, '--force')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(flannel);
  });

  test('whose backup is gone stops it', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    rmSync(`${site.conflist}.cni-debug-backup`);
    const answer = await site.uninstall('--into', 'cbr0');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('is gone');
  });
});

test.each([
  ['a link that points elsewhere', 'debug'],
  ['an executable of somebody else', 'cni-debug'],
])('%s now stays, and is named', async (_, name) => {
  using site = new InstallSite();
  await site.install();
  const path = join(site.bin, name);
  rmSync(path);
  writeFileSync(path, 'changed');
  const answer = await site.uninstall();
  expect(answer).toMatchObject({ status: 1, stderr: '' });
  expect(answer.stdout).toContain(`left ${path} (was changed since)\n`);
  expect(site.names()).toEqual(['net.d/10-flannel.conflist', name]);
});

test('a manifest that makes no sense: nothing is done', async () => {
  using site = new InstallSite();
  await site.install();
  writeFileSync(join(site.bin, '.cni-debug.json'), '{"version":2}');
  for (const answer of [await site.uninstall(), await site.install()]) {
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('.cni-debug.json');
  }
  expect(existsSync(join(site.bin, 'debug'))).toBe(true);
});

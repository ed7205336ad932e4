import { describe, expect, test } from 'bun:test';
import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { debugged, flannel, InstallSite } from './install-site.ts';

describe('a conflist', () => {
  test.each([
    ['its path', (site: InstallSite) => site.conflist],
    ['the name of its file', () => '10-flannel.conflist'],
    ['the name of its network', () => 'cbr0'],
  ])('is found by %s, changed, kept, and shown', async (_, named) => {
    using site = new InstallSite();
    site.write('net.d/00-other.conflist', 'broken');
    const original = site.listing().find((line) => line.startsWith('net.d/10-flannel'));
    const answer = await site.install('--into', named(site));
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(answer.stdout).toContain('\n+    { "type": "debug" },\n');
    expect(answer.stdout).toContain('tail -F /tmp/cni_output.log');
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
    expect(statSync(site.conflist).mode & 0o7777).toBe(0o640);
    const backup = site.listing().find((line) => line.includes('-backup '));
    expect(backup).toBe(original?.replace('.conflist ', '.conflist.cni-debug-backup '));
  });

  test('a file of the working directory is not taken for a network', async () => {
    using site = new InstallSite();
    site.write('cbr0', flannel);
    const argv = [executable.BIN, 'install', '--plugin-dir', site.bin, '--into', 'cbr0'];
    expect(await site.call(argv, { cwd: site.folder })).toMatchObject({ status: 0 });
    expect(site.read('cbr0')).toBe(flannel);
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
    const here = await site.call([...argv.slice(0, -1), '10-flannel.conflist', '--wrap'], { cwd: site.net });
    expect(here).toMatchObject({ status: 0 });
  });

  test('has the owner that it had', async () => {
    if (!requires('root')) return;
    using site = new InstallSite();
    chownSync(site.conflist, 65534, 65534);
    await site.install('--into', 'cbr0');
    expect(statSync(site.conflist)).toMatchObject({ uid: 65534, gid: 65534 });
  });

  test.each([
    ['what is not there', ['--into', 'nothing'], 1, 'there is no conflist "nothing"'],
    ['a path to nothing', ['--into', './nothing'], 3, 'No such file'],
    ['a type that is not there', ['--into', 'cbr0', '--after', 'bridge'], 1, '"flannel", "portmap"'],
    ['a type to wrap', ['--into', 'cbr0', '--wrap', 'bridge'], 1, '"flannel", "portmap"'],
    ['what is broken', ['--into', '00-broken.conflist'], 1, 'not JSON'],
    ['what is no UTF-8', ['--into', '01-latin.conflist'], 1, 'not text in UTF-8'],
  ])('%s: nothing is done at all', async (_, words, status, message) => {
    using site = new InstallSite();
    site.write('net.d/00-broken.conflist', '{');
    writeFileSync(site.write('net.d/01-latin.conflist', ''), Buffer.from('{"name":"\xe4"}', 'latin1'));
    const before = site.listing();
    const answer = await site.install(...words);
    expect(answer).toMatchObject({ status, stdout: '' });
    expect(answer.stderr).toContain(message);
    expect(site.listing()).toEqual(before);
  });

  test('another place is taken from the original, under the name that was installed', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0', '--names', 'look');
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged.replace('debug', 'look'));
    await site.install('--into', 'cbr0', '--after', 'portmap');
    const plugins = () =>
      JSON.parse(site.read('net.d/10-flannel.conflist')).plugins.map(({ type }: { type: string }) => type);
    expect(plugins()).toEqual(['flannel', 'portmap', 'debug']);
    await site.install('--into', 'cbr0', '--wrap');
    expect(plugins()).toEqual(['debug', 'debug']);
    await site.install('--into', 'cbr0');
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
    expect(site.read('net.d/10-flannel.conflist.cni-debug-backup')).toBe(flannel);
  });

  test('a debug that was there before is there again', async () => {
    using site = new InstallSite();
    site.write('net.d/10-flannel.conflist', debugged);
    await site.install('--into', 'cbr0', '--wrap');
    expect(site.read('net.d/10-flannel.conflist')).not.toBe(debugged);
    expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
    expect((await site.install('--into', 'cbr0')).stdout).toStartWith('Nothing to do');
    expect(await site.uninstall('--into', 'cbr0', '--force')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
  });

  test('whose original is gone stays as it is', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    rmSync(`${site.conflist}.cni-debug-backup`);
    expect((await site.install('--into', 'cbr0')).stdout).toStartWith('Nothing to do');
    const answer = await site.install('--into', 'cbr0', '--wrap');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('what it was before is gone: 10-flannel.conflist.cni-debug-backup');
    expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
  });

  test('a folder of conflists in which something else lies', async () => {
    using site = new InstallSite();
    await run(['mkfifo', join(site.net, '00.conflist')]);
    expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
    const answer = await site.install('--into', '00.conflist');
    expect(answer.stderr).toContain('is no regular file');
  });

  test('what the network wrote anew is edited anew', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const anew = JSON.stringify(JSON.parse(flannel));
    site.write('net.d/10-flannel.conflist', anew);
    expect(await site.install('--into', 'cbr0')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist')).toContain('},{"type":"debug"},{');
    expect(site.read('net.d/10-flannel.conflist.cni-debug-backup')).toBe(anew);
    expect(site.names().filter((name) => name.startsWith('net.d/'))).toHaveLength(2);
  });

  test('what somebody changed is not lost', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    const changed = flannel.replace('0.3.1', '1.0.0');
    site.write('net.d/10-flannel.conflist', changed);
    const before = site.listing();
    const answer = await site.install('--into', 'cbr0');
    expect(answer).toMatchObject({ status: 1, stdout: '' });
    expect(answer.stderr).toContain('\n+{ "name": "cbr0", "cniVersion": "1.0.0"');
    expect(site.listing()).toEqual(before);
    expect(await site.install('--into', 'cbr0', '--force')).toMatchObject({ status: 0 });
    expect(site.read('net.d/10-flannel.conflist.cni-debug-backup')).toBe(flannel);
    expect(site.read('net.d/10-flannel.conflist.cni-debug-backup-2')).toBe(changed);
    const uninstalled = await site.uninstall('--into', 'cbr0');
    expect(uninstalled).toMatchObject({ status: 1 });
    expect(uninstalled.stdout).toContain('10-flannel.conflist.cni-debug-backup (an earlier backup');
    expect(site.read('net.d/10-flannel.conflist')).toBe(changed);
  });

  test('a debug with keys of its own in its place is left alone', async () => {
    using site = new InstallSite();
    await site.install('--into', 'cbr0');
    site.write('net.d/10-flannel.conflist', debugged.replace('"debug"', '"debug", "validate": "error"'));
    expect((await site.install('--into', 'cbr0')).stdout).toStartWith('Nothing to do');
  });
});

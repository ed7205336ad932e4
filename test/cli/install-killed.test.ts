import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, executable } from '../program.ts';
import { requires } from '../requirements.ts';
import { debugged, flannel, InstallSite } from './install-site.ts';

const memory = existsSync('/dev/shm') ? '/dev/shm' : undefined;

/** What must be so at any moment, wherever install was cut short: nothing is lost, and no file is half written. */
function expectWhole(site: InstallSite, foreign: string): void {
  const bin = (name: string) => join(site.bin, name);
  const kept = [bin('debug'), bin('debug.cni-debug-backup')].filter(existsSync);
  expect(kept.some((path) => readFileSync(path, 'utf8') === foreign)).toBe(true);
  expect([flannel, debugged]).toContain(site.read('net.d/10-flannel.conflist'));
  const conflists = readdirSync(site.net).filter((name) => /\.(conf|conflist|json)$/.test(name));
  expect(conflists).toEqual(['10-flannel.conflist']);
  if (site.read('net.d/10-flannel.conflist') === debugged) {
    expect(site.read('net.d/10-flannel.conflist.cni-debug-backup')).toBe(flannel);
    expect(readlinkSync(bin('debug'))).toBe('cni-debug');
  }
  for (const [name, source] of [
    ['cni-debug', executable.BIN],
    ['koffi.node', executable.KOFFI],
  ] as const) {
    if (existsSync(bin(name))) expect(readFileSync(bin(name)).equals(readFileSync(source))).toBe(true);
  }
}

const words = ['--into', 'cbr0', '--force'];

/** Install is done, and undone, as if nothing had been. */
async function expectFinished(site: InstallSite, before: readonly string[]): Promise<void> {
  expect(await site.install(...words)).toMatchObject({ status: 0, stderr: '' });
  expect(site.read('net.d/10-flannel.conflist')).toBe(debugged);
  expect(site.names()).toEqual([
    ...['net.d/10-flannel.conflist', 'net.d/10-flannel.conflist.cni-debug-backup', '.cni-debug.json'],
    ...['bridge', 'cni-debug', 'debug', 'debug.cni-debug-backup', 'koffi.node'],
  ]);
  expect(await site.uninstall(...words.slice(0, 2))).toMatchObject({ status: 0, stderr: '' });
  expect(site.listing()).toEqual([...before]);
}

test('kill -9 at any moment: nothing is lost, and a second run finishes', async () => {
  using site = new InstallSite(memory);
  site.makeBin();
  const foreign = readFileSync(join(site.bin, 'debug'), 'utf8');
  const before = site.listing();
  let killed = 0;
  for (let round = 0; killed < 6; round += 1) {
    expect(round).toBeLessThan(60);
    const started = (pid: number) => setTimeout(() => process.kill(pid, 'SIGKILL'), 40 + Math.random() * 250);
    const argv = [executable.BIN, 'install', '--plugin-dir', site.bin, ...words];
    let timer: NodeJS.Timeout | undefined;
    const { signal } = await site.call(argv, { started: (pid) => (timer = started(pid)) });
    clearTimeout(timer);
    if (signal === 'SIGKILL') killed += 1;
    expectWhole(site, foreign);
    await expectFinished(site, before);
  }
});

/** What changes a name, or what lies under it. */
const changing = [
  ...['link', 'linkat', 'symlink', 'symlinkat', 'rename', 'renameat', 'renameat2'],
  ...['unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir', 'write'],
];

/** Under strace, which looks at nothing but what lies in the two folders. */
function traced(site: InstallSite, verb: string[], options: readonly string[]): Promise<Answer> {
  const folders = [site.bin, site.net, join(site.folder, 'opt'), join(site.folder, 'opt/cni')];
  const names = [
    ...['.cni-debug.json', 'cni-debug', 'koffi.node', 'debug', 'debug.cni-debug-backup'],
    ...['10-flannel.conflist', '10-flannel.conflist.cni-debug-backup'],
  ];
  const all = names.flatMap((name) => [name, `.${name}.cni-debug-new`, `.${name}.cni-debug-old`]);
  const inFolders = folders.flatMap((folder) => [folder, ...all.map((name) => join(folder, name))]);
  const made = ['.opt.cni-debug-new', '.opt.cni-debug-old'].flatMap((name) =>
    ['', '/cni', '/cni/bin', '/cni/bin/.cni-debug.json'].map((rest) => join(site.folder, name + rest)),
  );
  const paths = [...inFolders, ...made, join(site.folder, '.opt.cni-debug-new')].flatMap((path) => [
    '-P',
    path,
  ]);
  // Those that the machine's architecture has.
  const known = changing.map((name) => `?${name}`).join(',');
  return site.call([
    'strace',
    '-f',
    '-qq',
    '-e',
    `trace=${known}`,
    ...paths,
    ...options,
    executable.BIN,
    ...verb,
  ]);
}

/** The system calls that changed something, each with how many of its name there were up to it. */
async function changesOf(site: InstallSite, verb: string[]): Promise<[name: string, count: number][]> {
  const output = join(site.folder, 'cni-debug-version-strace');
  expect(await traced(site, verb, ['-o', output])).toMatchObject({ status: 0 });
  const counts = new Map<string, number>();
  const changes: [name: string, count: number][] = [];
  for (const [, name = '', answer] of readFileSync(output, 'utf8').matchAll(/^\d+ +(\w+)\(.* = (-?\d+)/gm)) {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (answer !== '-1') changes.push([name, count]);
  }
  // Of the many writes of the executable, two.
  return changes.filter(([name, count]) => name !== 'write' || count === 3 || count === counts.get('write'));
}

describe.if(requires('strace'))('killed behind each of its system calls', () => {
  test('install and uninstall, in a folder with a plugin of somebody else', async () => {
    using site = new InstallSite(memory);
    site.makeBin();
    const foreign = readFileSync(join(site.bin, 'debug'), 'utf8');
    const before = site.listing();
    const install = ['install', '--plugin-dir', site.bin, ...words];
    const uninstall = ['uninstall', '--plugin-dir', site.bin, ...words.slice(0, 2)];
    const changes = await changesOf(site, install);
    const backwards = await changesOf(site, uninstall);
    expect(site.listing()).toEqual(before);
    expect(changes.length).toBeGreaterThanOrEqual(10);
    expect(backwards.length).toBeGreaterThanOrEqual(5);
    for (const [name, count] of changes) {
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(site, install, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      expectWhole(site, foreign);
      // Whether it is finished or taken back.
      if (count % 2 === 0) {
        expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0, stderr: '' });
        expect([name, count, ...site.listing()]).toEqual([name, count, ...before]);
      }
      await expectFinished(site, before);
    }
    for (const [name, count] of backwards) {
      await site.install(...words);
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(site, uninstall, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      expectWhole(site, foreign);
      expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0, stderr: '' });
      expect([name, count, ...site.listing()]).toEqual([name, count, ...before]);
    }
  }, 180_000);

  test('in a folder that install makes, and uninstall takes away', async () => {
    using site = new InstallSite(memory);
    const before = site.listing();
    const verbs = (['install', 'uninstall'] as const).map((verb) => [verb, '--plugin-dir', site.bin]);
    const [install = [], uninstall = []] = verbs;
    const changes = (await changesOf(site, install)).filter(([name]) => name !== 'write');
    const backwards = await changesOf(site, uninstall);
    expect(changes.filter(([name]) => name.startsWith('mkdir'))).toHaveLength(3);
    for (const [name, count] of changes) {
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(site, install, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      expect(await site.uninstall()).toMatchObject({ status: 0, stderr: '' });
      expect([name, count, ...site.listing()]).toEqual([name, count, ...before]);
    }
    for (const [name, count] of backwards) {
      await site.install();
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(site, uninstall, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      expect(await site.uninstall()).toMatchObject({ status: 0, stderr: '' });
      expect([name, count, ...site.listing()]).toEqual([name, count, ...before]);
    }
  }, 180_000);

  test('an upgrade to another place of the chain', async () => {
    using site = new InstallSite(memory);
    const before = site.listing();
    const older = site.otherVersion();
    const dir = ['--plugin-dir', site.bin, '--into', 'cbr0'];
    const prepare = () => site.call([older, 'install', ...dir]);
    const upgrade = ['install', ...dir, '--wrap', 'portmap'];
    await prepare();
    const changes = await changesOf(site, upgrade);
    const wrapped = site.read('net.d/10-flannel.conflist');
    const after = site.listing().map((line) => line.replace(/ \d{13}.*? /, ' '));
    expect(changes.filter(([name]) => name === 'link')).toHaveLength(3);
    for (const [name, count] of changes) {
      expect(await site.uninstall('--into', 'cbr0')).toMatchObject({ status: 0 });
      expect(site.listing()).toEqual(before);
      await prepare();
      const inject = `inject=${name}:signal=KILL:when=${count}`;
      const { signal } = await traced(site, upgrade, ['-o', '/dev/null', '-e', inject]);
      expect([name, count, signal]).toEqual([name, count, 'SIGKILL']);
      expect([debugged, wrapped]).toContain(site.read('net.d/10-flannel.conflist'));
      expect(site.read('net.d/10-flannel.conflist.cni-debug-backup')).toBe(flannel);
      expect(
        (await site.call([join(site.bin, 'debug')], { environment: { CNI_COMMAND: 'VERSION' } })).status,
      ).toBe(0);
      expect(await site.install('--into', 'cbr0', '--wrap', 'portmap')).toMatchObject({
        status: 0,
        stderr: '',
      });
      expect(site.listing().map((line) => line.replace(/ \d{13}.*? /, ' '))).toEqual(after);
    }
  }, 180_000);
});

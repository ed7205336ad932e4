import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, linkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildSync } from 'esbuild';
import { flock, loadLibc, setns, umount2 } from '../../src/kernel/libc.ts';
import { requires } from '../requirements.ts';
import { scratchFolder } from './scratch.ts';

const source = `${import.meta.dir}/../../src/kernel/libc.ts`;

test('failure is the negative error number', () => {
  loadLibc();
  expect(flock(-1, 2)).toBe(-9);
  expect(setns(0, 0x4000_0000)).toBeLessThan(0);
  expect(umount2('/no/such/path', 0)).toBeLessThan(0);
});

test('a library that cannot be loaded is an error that says so, each time', () => {
  const folder = scratchFolder();
  const bundle = `${folder.path}/bundle.cjs`;
  buildSync({
    stdin: {
      contents: `import { loadLibc } from ${JSON.stringify(source)};
        for (const time of [1, 2]) try { loadLibc(); } catch (error) { console.log(String(error)); }`,
      resolveDir: folder.path,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['koffi'],
    outfile: bundle,
  });
  const { stdout } = spawnSync(process.execPath, ['--no-install', bundle], {
    encoding: 'utf8',
    cwd: folder.path,
  });
  const [first, second] = stdout.split('LibraryLoadError: ').slice(1);
  expect(first).toStartWith('koffi.node could not be loaded: ');
  expect(second).toBe(first!);
  folder.remove();
});

/** An executable with a koffi.node beside it: bun, under another name. */
describe.if(requires('root'))('the copy beside the executable', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let executable: string;
  let beside: string;
  const native = createRequire(createRequire(import.meta.url).resolve('koffi')).resolve(
    `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
  );

  beforeAll(() => {
    folder = scratchFolder();
    executable = `${folder.path}/cni-debug`;
    beside = `${folder.path}/koffi.node`;
    try {
      linkSync(process.execPath, executable);
    } catch {
      copyFileSync(process.execPath, executable);
    }
    chmodSync(folder.path, 0o755);
  });
  afterAll(() => folder.remove());

  /** The file that was mapped into a process which made a system call. */
  function loadedFrom(): string {
    const code = `import { flock } from ${JSON.stringify(source)};
      if (flock(-1, 2) !== -9) throw new Error('flock');
      const maps = require('fs').readFileSync('/proc/self/maps', 'utf8');
      console.log(maps.includes(${JSON.stringify(`${beside}\n`)}) ? 'beside' : 'elsewhere');`;
    const { stdout, stderr } = spawnSync(executable, ['-e', code], { encoding: 'utf8' });
    return stdout.trim() || stderr;
  }

  function place(): void {
    rmSync(beside, { force: true });
    copyFileSync(native, beside);
    chmodSync(beside, 0o644);
  }

  function link(): void {
    rmSync(beside);
    symlinkSync(native, beside);
  }

  test('is loaded', () => {
    place();
    expect(loadedFrom()).toBe('beside');
  });

  test.each<[string, () => void]>([
    ['is missing', () => rmSync(beside)],
    ['is writable by its group', () => chmodSync(beside, 0o664)],
    ['is writable by others', () => chmodSync(beside, 0o646)],
    ['belongs to another user', () => chownSync(beside, 65534, 0)],
    ['is a link', link],
    ['is no library', () => writeFileSync(beside, 'text')],
  ])('is not loaded when it %s', (_, change) => {
    place();
    change();
    expect(loadedFrom()).toBe('elsewhere');
  });

  test.each<[string, () => void]>([
    ['is writable by others', () => chmodSync(folder.path, 0o1777)],
    ['is writable by its group', () => chmodSync(folder.path, 0o775)],
    ['belongs to another user', () => chownSync(folder.path, 65534, 0)],
  ])('is not loaded when its folder %s', (_, change) => {
    place();
    change();
    expect(loadedFrom()).toBe('elsewhere');
    chmodSync(folder.path, 0o755);
    chownSync(folder.path, 0, 0);
  });
});

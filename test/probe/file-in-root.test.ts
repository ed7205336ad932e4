import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileInRoot } from '../../src/probe/file-in-root.ts';
import { scratchFolder } from '../kernel/scratch.ts';

let folder: ReturnType<typeof scratchFolder>;
beforeEach(() => {
  folder = scratchFolder();
  mkdirSync(join(folder.path, 'root/etc'), { recursive: true });
  mkdirSync(join(folder.path, 'root/run'));
  writeFileSync(join(folder.path, 'root/run/resolv.conf'), 'inside');
  writeFileSync(join(folder.path, 'resolv.conf'), 'outside');
});
afterEach(() => folder.remove());

test.each([
  ['absolute', '/run/resolv.conf'],
  ['relative', '../run/resolv.conf'],
  ['above the root', '../../../../run/resolv.conf'],
  ['by another link', '/etc/other'],
])('a link that is %s leads to what it does inside', (_, target) => {
  const root = join(folder.path, 'root');
  symlinkSync(target, join(root, 'etc/resolv.conf'));
  symlinkSync('/run/resolv.conf', join(root, 'etc/other'));
  expect(readFileSync(fileInRoot(root, '/etc/resolv.conf'), 'utf8')).toBe('inside');
});

test('a folder that is a link does not lead out of the root', () => {
  const root = join(folder.path, 'root');
  symlinkSync(folder.path, join(root, 'out'));
  expect(() => fileInRoot(root, '/out/resolv.conf')).toThrow('ENOENT');
});

test('links without end are an error', () => {
  const root = join(folder.path, 'root');
  symlinkSync('loop', join(root, 'etc/loop'));
  expect(() => fileInRoot(root, '/etc/loop')).toThrow('more than 16 symbolic links');
});

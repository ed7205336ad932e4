import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { freshStamp, sameStamp, stampOf } from '../../src/ipam/directory-stamp.ts';
import { mix } from '../../src/ipam/slot.ts';
import { requires } from '../requirements.ts';
import { Pool } from './pool.ts';

/** A pool with three leases and an index of them. */
function filled(): Pool {
  const pool = new Pool();
  for (const name of ['a', 'b', 'c']) pool.add(name);
  pool.scans();
  return pool;
}

test('who changes nothing by the way needs no scan', () => {
  using pool = filled();
  expect(pool.leases('b')).toEqual(['10.1.0.3']);
  expect(pool.leases('nobody')).toEqual([]);
  pool.add('d');
  expect(pool.del('d')).toEqual(['10.1.0.5']);
  expect(pool.del('d')).toEqual([]);
  expect(pool.scans()).toBe(0);
});

describe('a change by another process is noticed', () => {
  test.each<[string, (pool: Pool) => void, string[]]>([
    ['a lease that came', (pool) => pool.write('10.1.0.77', 'new\r\neth0'), ['10.1.0.77']],
    [
      'one that came and another that went',
      (pool) => {
        pool.write('10.1.0.77', 'new\r\neth0');
        pool.remove('10.1.0.3');
      },
      ['10.1.0.77'],
    ],
    [
      'an address that changed hands',
      (pool) => {
        pool.remove('10.1.0.2');
        pool.write('10.1.0.2', 'new\r\neth0');
      },
      ['10.1.0.2'],
    ],
    [
      'a file put in place of another',
      (pool) => {
        pool.write('x', 'new\r\neth0');
        renameSync(join(pool.directory, 'x'), join(pool.directory, '10.1.0.4'));
      },
      ['10.1.0.4'],
    ],
    [
      'a change that a restored mtime hides',
      (pool) => {
        const { atime, mtime } = statSync(pool.directory);
        pool.write('10.1.0.77', 'new\r\neth0');
        utimesSync(pool.directory, atime, mtime);
      },
      ['10.1.0.77'],
    ],
  ])('%s', (_, change, leases) => {
    using pool = filled();
    change(pool);
    expect(pool.leases('new')).toEqual(leases);
    expect(pool.scans()).toBe(1);
    expect(pool.leases('c')).toEqual(leases.includes('10.1.0.4') ? [] : ['10.1.0.4']);
    expect(pool.scans()).toBe(0);
  });

  test('also one that left the mtime of the tick in which we changed the directory', () => {
    using pool = filled();
    // The kernel before 6.13 gives every change of this tick one mtime; here it is given by hand.
    pool.write('tick', '');
    const { atime, mtime } = statSync(pool.directory);
    pool.add('d');
    pool.write('10.1.0.77', 'new\r\neth0');
    utimesSync(pool.directory, atime, mtime);
    expect(pool.leases('new')).toEqual(['10.1.0.77']);
  });
});

test('a stamp of ours is older than any change, and no two are the same', () => {
  using pool = filled();
  const stamps = Array.from({ length: 20 }, () => freshStamp(pool.directory));
  for (const [index, stamp] of stamps.entries()) {
    expect(stamp!.mtime).toBeLessThan(BigInt(Date.now() - 900) * 1_000_000n);
    expect(stamps.slice(0, index).some((other) => other!.mtime === stamp!.mtime)).toBe(false);
  }
  expect(sameStamp(stamps.at(-1)!, stampOf(pool.directory))).toBe(true);
  expect(freshStamp('/proc/self')).toBeUndefined();
});

describe.if(requires('root'))('on a file system with the clock of old kernels', () => {
  test('what another process does in the same tick is noticed', () => {
    using pool = new Pool();
    mkdirSync(pool.dataDir);
    const script = join(import.meta.dir, 'coarse-clock-run.ts');
    const words = ['-m', 'sh', '-c', 'mount -t ramfs none "$0" && exec "$@"', pool.dataDir, process.execPath];
    const { stdout, stderr } = spawnSync('unshare', [...words, script, pool.dataDir], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const { sameTick, unnoticed, scans } = JSON.parse(stdout);
    expect(sameTick).toBe(20);
    expect(unnoticed).toBe(0);
    expect(scans).toBe(0);
  });
});

describe('an index that is no good is made anew', () => {
  test.each<[string, (path: string) => void]>([
    ['empty', (path) => truncateSync(path, 0)],
    ['cut in its header', (path) => truncateSync(path, 30)],
    ['cut in its slots', (path) => truncateSync(path, 500)],
    ['longer than it says', (path) => writeFileSync(path, '\0', { flag: 'a' })],
    ['nonsense', (path) => writeFileSync(path, Buffer.alloc(32_840, 0x5a))],
    ['of another version', (path) => change(path, (bytes) => bytes.writeUInt32LE(2, 8))],
    ['with another header than was written', (path) => change(path, (bytes) => bytes.writeUInt32LE(9, 64))],
    ['gone', (path) => rmSync(path)],
    [
      'a directory',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('%s', (_, spoil) => {
    using pool = filled();
    spoil(pool.index());
    expect(pool.leases('b')).toEqual(['10.1.0.3']);
    expect(pool.scans()).toBe(1);
    pool.add('d');
    expect(pool.del('d')).toEqual(['10.1.0.5']);
  });

  test('with slots that are not as they were written', () => {
    using pool = filled();
    change(pool.index(), (bytes) => bytes.fill(0x5a, 72));
    expect(pool.leases('b')).toEqual(['10.1.0.3']);
    expect(pool.add('d')).toEqual(['10.1.0.5/24']);
    expect(pool.del('a')).toEqual(['10.1.0.2']);
    expect(pool.scans()).toBe(1);
  });

  test('of another directory', () => {
    using pool = filled();
    using other = new Pool();
    other.add('other');
    copyFileSync(other.index(), pool.index());
    expect(pool.leases('other')).toEqual([]);
    expect(pool.leases('b')).toEqual(['10.1.0.3']);
  });

  test('of another start of the machine', () => {
    using pool = filled();
    change(pool.index(), (bytes) => bytes.fill(1, 48, 64));
    expect(pool.leases('b')).toEqual(['10.1.0.3']);
    expect(pool.scans()).toBe(1);
  });

  test('of an earlier state, put back', () => {
    using pool = filled();
    copyFileSync(pool.index(), join(pool.folder, 'old'));
    pool.add('d');
    copyFileSync(join(pool.folder, 'old'), pool.index());
    expect(pool.leases('d')).toEqual(['10.1.0.5']);
  });
});

test('a lease that is not what the index says is looked for in all files', () => {
  using pool = filled();
  // Written in place: this leaves the directory as it is.
  pool.write('10.1.0.3', 'new\r\neth0');
  expect(pool.leases('b')).toEqual([]);
  expect(pool.leases('new')).toEqual(['10.1.0.3']);
});

test('nobody is turned away because of what the index says', () => {
  using pool = new Pool({ subnet: '10.1.0.0/30' });
  pool.add('a');
  const before = statSync(pool.directory);
  pool.remove('10.1.0.2');
  pool.write('other', '');
  // An index that believes in a lease that is gone, as after a removal by hand while we had the lock.
  const stamp = freshStamp(pool.directory)!;
  change(pool.index(), (bytes) => rewriteStamp(bytes, stamp.mtime, stamp.ctime));
  expect(before.ino).toBe(statSync(pool.directory).ino);
  expect(pool.add('b')).toEqual(['10.1.0.2/30']);
});

test('works without one where its folder cannot be had', () => {
  using pool = new Pool();
  writeFileSync(pool.indexFolder, 'a file');
  pool.add('a');
  expect(pool.leases('a')).toEqual(['10.1.0.2']);
  expect(pool.del('a')).toEqual(['10.1.0.2']);
  expect(pool.scans()).toBe(3);
});

test('grows with its leases', () => {
  using pool = new Pool({ subnet: '10.1.0.0/16' });
  for (let index = 0; index < 1500; index += 1) pool.add(`c${index}`);
  expect(pool.scans()).toBe(1);
  for (let index = 0; index < 1500; index += 7) {
    expect(pool.leases(`c${index}`)).toEqual([`10.1.${(index + 2) >> 8}.${(index + 2) & 255}`]);
  }
  for (let index = 0; index < 1500; index += 1) pool.del(`c${index}`);
  expect(pool.names()).toEqual([]);
  expect(pool.scans()).toBe(0);
  expect(readdirSync(pool.indexFolder).length).toBe(1);
});

function change(path: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  edit(bytes);
  writeFileSync(path, bytes);
}

/** Makes the index one of the directory's present state, whatever its slots say. */
function rewriteStamp(bytes: Buffer, mtime: bigint, ctime: bigint): void {
  bytes.writeBigInt64LE(mtime, 32);
  bytes.writeBigInt64LE(ctime, 40);
  bytes.writeUInt32LE(mix(bytes.subarray(0, 68), 0x811c9dc5), 68);
}

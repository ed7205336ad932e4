import { describe, expect, test } from 'bun:test';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allocate, check, collect } from '../../src/ipam/host-local.ts';
import { lockFile } from '../../src/kernel/file-lock.ts';
import { errorOf, owner, Pool } from './pool.ts';

const dual = { ranges: [[{ subnet: '10.1.0.0/29' }], [{ subnet: 'fd00::/64' }]] };

test('gives each attachment an address of each set, and takes them back', () => {
  using pool = new Pool({ ...dual, routes: [{ dst: '0.0.0.0/0' }] });
  const { ips, routes, dns } = allocate(pool.settings, owner('a'), pool);
  expect(ips).toEqual([
    { address: '10.1.0.2/29', gateway: '10.1.0.1' },
    { address: 'fd00::2/64', gateway: 'fd00::1' },
  ]);
  expect(routes.map((route) => ({ ...route }))).toEqual([{ dst: '0.0.0.0/0' }]);
  expect(dns).toBeUndefined();
  expect(pool.add('b')).toEqual(['10.1.0.3/29', 'fd00::3/64']);
  expect(pool.leases('a')).toEqual(['10.1.0.2', 'fd00::2']);
  expect(pool.del('a')).toEqual(['10.1.0.2', 'fd00::2']);
  expect(pool.del('a')).toEqual([]);
  expect(pool.names()).toEqual(['10.1.0.3', 'fd00::3']);
});

test('writes what the reference writes', () => {
  using pool = new Pool();
  pool.add('a');
  expect(pool.read('10.1.0.2')).toBe('a\r\neth0');
  expect(pool.read('last_reserved_ip.0')).toBe('10.1.0.2');
  const mode = (name: string) => statSync(join(pool.directory, name)).mode & 0o777;
  expect([mode('10.1.0.2'), mode('last_reserved_ip.0'), mode('lock'), mode('.')]).toEqual([
    0o600, 0o600, 0o750, 0o755,
  ]);
});

test('an address rests until the whole range was used', () => {
  using pool = new Pool({ subnet: '10.1.0.0/29' });
  for (const expected of [2, 3, 4, 5, 6, 2, 3]) {
    expect(pool.add('a')).toEqual([`10.1.0.${expected}/29`]);
    pool.del('a');
  }
});

test('refuses a second ADD of an attachment, and takes nothing for it', () => {
  using pool = new Pool(dual);
  pool.add('a');
  expect(errorOf(() => pool.add('a'))).toMatchObject({
    code: 999,
    message:
      'failed to allocate for range 0: 10.1.0.2 has been allocated to a, duplicate allocation is not allowed',
  });
  expect(pool.names()).toEqual(['10.1.0.2', 'fd00::2']);
});

test('a set without a free address gives back what the others gave', () => {
  using pool = new Pool({ ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: '10.2.0.0/30' }]] });
  pool.add('a');
  expect(errorOf(() => pool.add('b')).message).toBe(
    'failed to allocate for range 1: no IP addresses available in range set: 10.2.0.1-10.2.0.2',
  );
  expect(pool.names()).toEqual(['10.1.0.2', '10.2.0.2']);
  pool.del('a');
  expect(pool.add('b')).toEqual(['10.1.0.4/24', '10.2.0.2/30']);
});

test('an ADD that fails late leaves what the attachment had before', () => {
  using pool = new Pool(dual);
  pool.add('a');
  const { message } = errorOf(() => pool.add('a', pool.asking('IP=10.1.0.5')));
  expect(message).toStartWith('failed to allocate for range 1: fd00::2 has been allocated to a');
  expect(pool.names()).toEqual(['10.1.0.2', 'fd00::2']);
});

test('undo gives back just what the allocation took', () => {
  using pool = new Pool();
  pool.add('a');
  const { undo } = allocate(pool.asking('IP=10.1.0.9'), owner('a'), pool);
  expect(pool.leases('a')).toEqual(['10.1.0.2', '10.1.0.9']);
  undo();
  undo();
  expect(pool.leases('a')).toEqual(['10.1.0.2']);
});

describe('requested addresses', () => {
  test('are given, also to who has one already', () => {
    using pool = new Pool(dual);
    expect(pool.add('a', pool.asking('IP=10.1.0.5'))).toEqual(['10.1.0.5/29', 'fd00::2/64']);
    expect(pool.read('last_reserved_ip.0')).toBe('10.1.0.5');
    expect(pool.add('b')).toEqual(['10.1.0.6/29', 'fd00::3/64']);
    using other = new Pool();
    other.add('a');
    expect(other.add('a', other.asking('IP=10.1.0.7/8'))).toEqual(['10.1.0.7/24']);
    expect(other.del('a')).toEqual(['10.1.0.2', '10.1.0.7']);
  });

  test.each([
    [
      'IP=10.1.0.2',
      'failed to allocate for range 0: requested IP address 10.1.0.2 is not available in range set 10.1.0.1-10.1.0.6',
      999,
    ],
    ['IP=10.1.0.1', "failed to allocate for range 0: requested ip 10.1.0.1 is subnet's gateway", 999],
    ['IP=10.9.0.1', 'failed to allocate all requested IPs: 10.9.0.1', 7],
  ])('%s is refused when it cannot be had', (args, message, code) => {
    using pool = new Pool(dual);
    pool.add('a');
    expect(errorOf(() => pool.add('b', pool.asking(args)))).toMatchObject({ message, code });
    expect(pool.names()).toEqual(['10.1.0.2', 'fd00::2']);
  });
});

describe('files of others', () => {
  test('of old times, which name the container only, are its leases', () => {
    using pool = new Pool();
    pool.write('10.1.0.2', 'a');
    pool.write('10.1.0.3', ' b\n');
    expect(errorOf(() => pool.add('a')).message).toContain('10.1.0.2 has been allocated to a');
    check(pool.settings, owner('a'), pool);
    expect(pool.del('a')).toEqual(['10.1.0.2']);
    expect(pool.del('b')).toEqual(['10.1.0.3']);
  });

  test('of old times stay as long as there is one of the interface itself', () => {
    using pool = new Pool();
    pool.write('10.1.0.2', 'a');
    pool.write('10.1.0.3', 'a\r\neth0');
    expect(pool.del('a')).toEqual(['10.1.0.3']);
    expect(pool.del('a')).toEqual(['10.1.0.2']);
  });

  test('that are empty were left by a dead writer: the address is free, and that is reported', () => {
    using pool = new Pool({ subnet: '10.1.0.0/30' });
    pool.write('10.1.0.2', '');
    expect(pool.add('a')).toEqual(['10.1.0.2/30']);
    expect(pool.warnings).toEqual([
      `10.1.0.2: ${pool.directory}/10.1.0.2: was empty, left by a process that died while it took the address; it is free again`,
    ]);
  });

  test.each(['\0\0\0\0', 'a\r\n\0', 'a\nb', 'a\r\neth0\r\nmore', '-x\r\neth0', 'a\r\nlonger-than-15-b'])(
    '%j is malformed: nobody gets the address until GC, and both are reported',
    (text) => {
      using pool = new Pool({ subnet: '10.1.0.0/30' });
      pool.write('10.1.0.2', text);
      expect(errorOf(() => pool.add('a')).message).toContain('no IP addresses available');
      expect(pool.warnings.join()).toContain('names no owner; GC frees the address');
      expect(pool.collect('a')).toEqual(['10.1.0.2']);
      expect(pool.add('a')).toEqual(['10.1.0.2/30']);
    },
  );

  test('that are no leases are left alone', () => {
    using pool = new Pool({ subnet: '10.1.0.0/29' });
    for (const name of ['10.1.0.02', '10.1.0.2.bak', 'FD00::1', 'x']) pool.write(name, 'a\r\neth0');
    expect(pool.add('a')).toEqual(['10.1.0.2/29']);
    pool.collect();
    expect(pool.names()).toEqual(['10.1.0.02', '10.1.0.2.bak', 'FD00::1', 'x']);
    // The reference would take this for a lease.
    expect(pool.del('10.1.0.2')).toEqual([]);
    expect(pool.read('last_reserved_ip.0')).toBe('10.1.0.2');
  });

  test('a directory in the way of an address is passed by', () => {
    using pool = new Pool({ subnet: '10.1.0.0/29' });
    mkdirSync(join(pool.directory, '10.1.0.2'), { recursive: true });
    expect(pool.add('a')).toEqual(['10.1.0.3/29']);
    expect(pool.collect()).toEqual(['10.1.0.3']);
  });

  test('a last address that is none is forgotten', () => {
    using pool = new Pool();
    pool.write('last_reserved_ip.0', '10.1.0.');
    expect(pool.add('a')).toEqual(['10.1.0.2/24']);
  });
});

describe('release', () => {
  test('frees what the hint names and what it does not', () => {
    using pool = new Pool();
    pool.add('a');
    pool.add('a', pool.asking('IP=10.1.0.9'));
    pool.add('b');
    expect(pool.del('a', ['10.1.0.9/24', '10.1.0.10', 'nonsense'])).toEqual(['10.1.0.9', '10.1.0.2']);
    expect(pool.names()).toEqual(['10.1.0.10']);
  });

  test('has nothing to do where there is no directory, and makes none', () => {
    using pool = new Pool();
    expect([pool.del('a'), pool.leases('a'), pool.collect()]).toEqual([[], [], []]);
    expect(existsSync(pool.dataDir)).toBe(false);
  });
});

describe('collect', () => {
  test('frees those that are not listed, and only those', () => {
    using pool = new Pool(dual);
    for (const name of ['a', 'b', 'c']) pool.add(name);
    pool.write('10.1.0.5', 'a');
    pool.write('10.1.0.6', 'd');
    expect(pool.collect('a', 'c').sort()).toEqual(['10.1.0.3', '10.1.0.6', 'fd00::3']);
    expect(pool.leases('a')).toEqual(['10.1.0.2', 'fd00::2', '10.1.0.5']);
    expect(pool.collect().length).toBe(5);
    expect(pool.names()).toEqual([]);
  });

  test('another interface of a container is another attachment', () => {
    using pool = new Pool();
    allocate(pool.settings, { containerID: 'a', ifName: 'net1' }, pool);
    pool.add('a');
    expect(collect(pool.settings, [{ containerID: 'a', ifName: 'net1' }], pool)).toEqual([
      { address: '10.1.0.3', owner: 'a\r\neth0' },
    ]);
  });
});

test('check fails in the words of the reference', () => {
  using pool = new Pool();
  pool.add('a');
  check(pool.settings, owner('a'), pool);
  const { message } = errorOf(() => check(pool.settings, owner('b'), pool));
  expect(message).toBe('host-local: Failed to find address added by container b');
});

describe('what goes wrong', () => {
  test('a data directory that is a file', () => {
    using pool = new Pool();
    writeFileSync(pool.dataDir, '');
    const message = `open "${pool.directory}/lock": Not a directory (ENOTDIR)`;
    expect(errorOf(() => pool.add('a'))).toMatchObject({ code: 5, message });
    expect(errorOf(() => pool.del('a'))).toMatchObject({ code: 5, message });
  });

  test('a lock that another process keeps', () => {
    using pool = new Pool({ subnet: '10.1.0.0/24', lockTimeout: '50ms' });
    pool.add('a');
    const path = join(pool.directory, 'lock');
    const fd = openSync(path, 'r');
    lockFile(fd, { path, timeoutMs: 0 });
    const { code, message } = errorOf(() => pool.del('a'));
    expect(code).toBe(11);
    expect(message).toMatch(/^lock ".*\/net\/lock": still held by pid \d+ \(.+\) after 50 ms$/);
    expect(message).toContain(` pid ${process.pid} `);
    closeSync(fd);
    expect(pool.names()).toEqual(['10.1.0.2']);
  });

  test('a directory that is removed under our hands is made anew', () => {
    using pool = new Pool();
    pool.add('a');
    rmSync(pool.directory, { recursive: true });
    expect(pool.del('a')).toEqual([]);
    expect(pool.add('a')).toEqual(['10.1.0.2/24']);
  });
});

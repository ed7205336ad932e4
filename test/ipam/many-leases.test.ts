import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Pool } from './pool.ts';

/** Files in memory, where there are such: 60,000 of them are made and removed. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const nameOf = (number: number) => `10.1.${number >> 8}.${number & 255}`;

test('60,000 leases are read once, and then no more', () => {
  using pool = new Pool({ subnet: '10.1.0.0/16' }, memory);
  for (let number = 2; number < 60_002; number += 1) pool.write(nameOf(number), `c${number}\r\neth0`);
  pool.write('last_reserved_ip.0', nameOf(60_001));
  pool.write(nameOf(60_005), 'in the way\r\neth0');
  expect(pool.add('a')).toEqual(['10.1.234.98/16']);
  expect(pool.scans()).toBe(1);
  expect(pool.leases('c31000')).toEqual([nameOf(31_000)]);
  expect(pool.del('c31000')).toEqual([nameOf(31_000)]);
  for (const name of ['b', 'c', 'd']) pool.add(name);
  expect(pool.leases('d')).toEqual([nameOf(60_006)]);
  // From the last address round to the only one that is free among those in use.
  pool.write('last_reserved_ip.0', '10.1.255.254');
  expect(pool.add('e')).toEqual([`${nameOf(31_000)}/16`]);
  expect(pool.del('e')).toEqual([nameOf(31_000)]);
  expect(pool.scans()).toBe(0);
  expect(pool.collect('c2', 'b').length).toBe(60_002);
  expect(pool.names().length).toBe(2);
});

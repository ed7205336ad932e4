import { describe, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { status } from '../../src/ipam/pool-status.ts';
import { errorOf, Pool } from './pool.ts';

describe('status', () => {
  test('is good while every set has a free address, and says the counts otherwise', () => {
    using pool = new Pool({
      ranges: [
        [{ subnet: '10.1.0.0/30' }, { subnet: '10.3.0.0/24', rangeStart: '10.3.0.7', rangeEnd: '10.3.0.8' }],
        [{ subnet: 'fd00::/64' }],
      ],
    });
    status(pool.settings, pool);
    expect(existsSync(pool.dataDir)).toBe(false);
    for (const name of ['a', 'b']) pool.add(name);
    status(pool.settings, pool);
    pool.add('c');
    expect(errorOf(() => status(pool.settings, pool))).toMatchObject({
      code: 50,
      message:
        'no address is free: range set 0 (10.1.0.0/30, 10.3.0.0/24): 3 of 3 in use; ' +
        'range set 1 (fd00::/64): 3 of 18446744073709551614 in use',
    });
    pool.del('b');
    status(pool.settings, pool);
  });

  test('looks at all when the next addresses are taken', () => {
    using pool = new Pool();
    for (let index = 0; index < 252; index += 1) pool.add(`c${index}`);
    pool.add('last');
    expect(errorOf(() => status(pool.settings, pool)).code).toBe(50);
    pool.del('c100');
    status(pool.settings, pool);
    pool.write('10.1.0.102', '');
    status(pool.settings, pool);
    expect(pool.warnings.length).toBe(1);
  });

  test('is 50 when the leases cannot be read', () => {
    using pool = new Pool();
    writeFileSync(pool.dataDir, '');
    expect(errorOf(() => status(pool.settings, pool))).toMatchObject({
      code: 50,
      message: `read "${pool.directory}/last_reserved_ip.0": Not a directory (ENOTDIR)`,
    });
  });
});

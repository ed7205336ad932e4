import { describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { Site } from '../site.ts';
import { difference } from '../snapshot.ts';

const conf = { cniVersion: '1.1.0', name: 'net', type: 'portmap' };

describe.if(requires('root', 'ip', 'nft'))('STATUS', () => {
  test('is silent where nftables can be used, and makes nothing', async () => {
    using site = new Site();
    const before = site.snapshot();
    expect(await site.call('STATUS', conf)).toMatchObject({ status: 0, stdout: '' });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('is 50 for whoever may not change nftables (ours)', async () => {
    using site = new Site();
    const folder = join(site.scratch.folder, 'bin');
    mkdirSync(folder);
    for (const one of [site.scratch.folder, folder]) chmodSync(one, 0o755);
    const plugin = realpathSync(join(ours.folder, 'portmap'));
    copyFileSync(plugin, join(folder, 'portmap'));
    const library = join(dirname(plugin), 'koffi.node');
    if (existsSync(library)) copyFileSync(library, join(folder, 'koffi.node'));
    const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const error = await site.fail('STATUS', conf, { by: { ...ours, folder }, through });
    expect(error.code).toBe(50);
    expect(error.msg).toMatch(/nftables.*(EPERM|EACCES|not permitted)/s);
    const without = ['setpriv', '--bounding-set=-net_admin'];
    expect(await site.fail('STATUS', conf, { through: without })).toMatchObject({ code: 50 });
  });

  test('refuses what ADD would refuse (ours)', async () => {
    using site = new Site();
    const error = await site.fail('STATUS', { ...conf, conditionsV4: ['-s', '192.0.2.0/24'] });
    expect(error.code).toBe(7);
    expect(error.msg).toContain('conditionsV4');
  });
});

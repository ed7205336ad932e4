import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { type Attached, mapping, Published } from './published.ts';

const mappings = [mapping(8080, 80)];

// As after a node was switched off: the runtime has forgotten the container, and its lease was removed by hand or by
// the IPAM plugin, but its host port is still in the map. The leases are where host-local keeps them by default.
describe.if(requires('root', 'ip', 'nft'))('a host port whose owner has lost its lease (ours)', () => {
  let published: Published;
  let owner: Attached;
  let late: Attached;
  let through: string[];
  beforeEach(async () => {
    published = new Published();
    [owner, late] = [await published.attach('owner'), await published.attach('late')];
    const lib = join(published.site.scratch.folder, 'lib');
    mkdirSync(join(lib, 'cni'), { recursive: true });
    symlinkSync(published.site.leases, join(lib, 'cni', 'networks'));
    through = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /var/lib && exec "$@"', lib];
    await published.publish(owner, mappings, {}, { through });
  });
  afterEach(() => published[Symbol.dispose]());

  const file = (address: string) => join(published.site.leases, 'net', address);
  const add = () =>
    published.site.call('ADD', published.configuration(late, mappings), { pod: late.pod, through });

  test('is taken over, with a warning that names it', async () => {
    rmSync(file(owner.v4));
    rmSync(file(owner.v6));
    const { status, stderr } = await add();
    expect(status).toBe(0);
    for (const name of ['8080/tcp', '"eth0"', 'owner', '"net"', owner.v4]) expect(stderr).toContain(name);
    await published.in(late).serve('tcp', 80);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('late sees 192.0.2.2');
    expect(await published.in('outside').ask('fd00:99::1', 8080)).toBe('late sees fd00:99::2');
    // Whoever lost it has nothing left to take.
    await published.withdraw(owner, mappings, {}, { through });
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('late sees 192.0.2.2');
  });

  test('is taken over when the lease is another’s by now', async () => {
    for (const address of [owner.v4, owner.v6]) writeFileSync(file(address), 'another\r\neth0');
    expect(await add()).toMatchObject({ status: 0 });
  });

  test.each([
    ['has its lease', () => {}],
    ['has a lease of old times, without the interface', () => writeFileSync(file(owner.v4), 'owner')],
    [
      'has leases elsewhere',
      () => rmSync(join(published.site.leases, 'net'), { recursive: true, force: true }),
    ],
  ])('is refused while the owner %s', async (_, change) => {
    change();
    const { status, stdout } = await add();
    expect(status).not.toBe(0);
    expect(JSON.parse(stdout).msg).toContain('owner');
  });

  test('of all addresses is taken over for one', async () => {
    for (const name of readdirSync(join(published.site.leases, 'net'))) {
      if ([owner.v4, owner.v6].includes(name)) rmSync(file(name));
    }
    const conf = published.configuration(late, [mapping(8080, 80, { hostIP: '192.0.2.1' })]);
    const { status, stderr } = await published.site.call('ADD', conf, { pod: late.pod, through });
    expect(status).toBe(0);
    expect(stderr).toContain('owner');
    await published.in(late).serve('tcp', 80);
    expect(await published.in('outside').ask('192.0.2.1', 8080)).toBe('late sees 192.0.2.2');
  });
});

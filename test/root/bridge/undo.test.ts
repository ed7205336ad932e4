import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { inside } from '../namespace-command.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

interface Obstacle {
  readonly keys?: (site: Site) => Json;
  readonly call?: (site: Site) => Call;
  /** What is done on the node before; what it returns is ended afterwards. */
  readonly prepare?: (site: Site) => Promise<ChildProcess> | undefined;
  /** What the error must tell. */
  readonly told: RegExp;
}

/** One for each step after which there is something to undo; each is refused by the kernel, not by a check before. */
const obstacles: [string, Obstacle][] = [
  [
    'a route by a gateway that cannot be reached',
    {
      keys: (site) => ({
        ipam: site.ipam(['10.50.0.0/16'], { routes: [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }] }),
      }),
      told: /10\.9\.0\.0\/16|10\.99\.0\.1/,
    },
  ],
  [
    'the same in IPv6, after a route that was fine',
    {
      keys: (site) => ({
        ipam: site.ipam(['10.50.0.0/16', 'fd00:50::/64'], {
          routes: [{ dst: '0.0.0.0/0' }, { dst: 'fd00:9::/64', gw: 'fd00:99::1' }],
        }),
      }),
      told: /fd00:9::|fd00:99::1/,
    },
  ],
  [
    'an address that the kernel does not take',
    { keys: () => ({ ipam: { type: 'fake' } }), call: fakeIpam('ff02::5/64'), told: /ff02::/ },
  ],
  [
    'another address on the bridge',
    {
      prepare: (site) => {
        site.onNode('ip', 'addr', 'flush', 'dev', 'cni0');
        site.onNode('ip', 'addr', 'add', '10.70.0.1/16', 'dev', 'cni0');
        return undefined;
      },
      told: /"cni0" already has an IP address different from 10\.50\.0\.1\/16/,
    },
  ],
  [
    'a MAC that the kernel does not take',
    {
      keys: () => ({ runtimeConfig: { mac: '01:00:5e:00:00:01' } }),
      told: /EADDRNOTAVAIL|[Cc]annot assign requested address/,
    },
  ],
  [
    'an nftables table that belongs to another process',
    { keys: () => ({ ipMasq: true }), prepare: ownTables, told: /EPERM|not permitted/i },
  ],
  [
    'the same for the spoof check',
    { keys: () => ({ macspoofchk: true }), prepare: ownTables, told: /EPERM|not permitted/i },
  ],
  [
    'a /proc/sys that cannot be written',
    {
      prepare: (site) => {
        site.onNode('sysctl', '-qw', 'net.ipv4.ip_forward=0');
        return undefined;
      },
      call: () => ({
        through: ['unshare', '-m', 'sh', '-c', 'mount --bind -o ro /proc/sys /proc/sys && exec "$@"', 'sh'],
      }),
      told: /EROFS|[Rr]ead-only/,
    },
  ],
  [
    'an IPAM plugin that fails',
    { keys: () => ({ ipam: { type: 'fake' } }), call: fakeIpam(''), told: /fake/ },
  ],
  [
    'the second of two range sets exhausted',
    {
      keys: (site) => ({
        ipam: site.ipam(['10.50.0.0/16', 'fd00:50::/64'], {
          ranges: [
            [{ subnet: '10.50.0.0/16' }],
            [{ subnet: '10.51.0.0/30', gateway: '10.51.0.2', rangeEnd: '10.51.0.1' }],
          ],
        }),
        name: 'net2',
      }),
      prepare: (site) => {
        const folder = join(site.leases, 'net2');
        site.onNode('mkdir', '-p', folder);
        writeFileSync(join(folder, '10.51.0.1'), 'other\r\neth0');
        return undefined;
      },
      told: /no IP addresses available in range set: 10\.51\.0\.1-10\.51\.0\.1/,
    },
  ],
];

describe.if(requires('root', 'ip', 'nft'))('an ADD that fails leaves all as it was (ours)', () => {
  let site: Site;
  let pod: Pod;
  let owner: ChildProcess | undefined;
  beforeEach(() => {
    site = new Site();
    pod = site.pod('pod');
  });
  afterEach(() => {
    owner?.kill('SIGKILL');
    owner = undefined;
    site[Symbol.dispose]();
  });

  test.each(obstacles)('%s', async (_, { keys, call, prepare, told }) => {
    const sound = site.configuration({ isGateway: true, ipMasq: true, macspoofchk: true });
    await site.warmUp(sound);
    owner = await prepare?.(site);
    const before = site.snapshot();
    const configuration = site.configuration({ isGateway: true, ...keys?.(site) });
    const { msg, details = '' } = await site.fail('ADD', configuration, { pod, ...call?.(site) });
    expect(`${msg}\n${details}`).toMatch(told);
    const left = difference(before, site.snapshot());
    // What a pool needs to be shared stays, an address that was tried counts as given out, and others may count on
    // the node's forwarding.
    expect(
      left.filter(
        (line) =>
          !/^\+ (lock \S+ free|lease \S+ last_reserved_ip\.\d)$|^[+-] sysctl ipv\d\/\S*forward/.test(line),
      ),
    ).toEqual([]);
    expect(site.links(pod.netns)).toEqual(['lo']);
    owner?.kill('SIGKILL');
  });

  test('and the next ADD of the same container succeeds', async () => {
    const configuration = site.configuration({ isGateway: true });
    const routes = [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }];
    const refused = { ...configuration, ipam: site.ipam(['10.50.0.0/16'], { routes }) };
    await site.fail('ADD', refused, { pod });
    expect((await site.add(configuration, { pod })).ips).toHaveLength(1);
  });

  test('the first ADD on a node: the bridge may stay, and what a pool needs, but nothing of the container', async () => {
    const before = site.snapshot();
    const routes = [{ dst: '10.9.0.0/16', gw: '10.99.0.1' }];
    const configuration = site.configuration({ ipMasq: true, ipam: site.ipam(['10.50.0.0/16'], { routes }) });
    await site.fail('ADD', configuration, { pod });
    const mayStay =
      /^\+ (lock|lease net last_reserved|link cni0 |sysctl ipv6\/conf\/cni0\/(accept_ra|mtu)=|nft )/;
    const left = difference(before, site.snapshot());
    expect(left.filter((line) => !mayStay.test(line))).toEqual([]);
    expect(left.join('\n')).not.toContain('10.50.0.');
  });
});

/** An IPAM plugin that gives one address, or fails. */
function fakeIpam(address: string): (site: Site) => Call {
  const result = JSON.stringify({ cniVersion: '1.0.0', ips: [{ address }] });
  const answer = address ? `echo '${result}'` : 'exit 3';
  return ({ scratch }) => {
    const script = `#!/bin/sh\ncat > /dev/null\n[ "$CNI_COMMAND" = ADD ] || exit 0\n${answer}\n`;
    writeFileSync(join(scratch.folder, 'fake'), script, { mode: 0o755 });
    return { searched: [scratch.folder] };
  };
}

/** Every table that a warm node has, taken over by a process that alone may write them until it ends. */
async function ownTables(site: Site): Promise<ChildProcess> {
  const tables = site
    .onNode('nft', 'list', 'tables')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^table /, ''));
  site.onNode('nft', 'flush', 'ruleset');
  const owner = inside(site.node, () => spawn('nft', ['-i']));
  owner.stdin.on('error', () => {});
  owner.stdin.write(
    `${tables.map((table) => `add table ${table} { flags owner; }`).join('\n')}\nlist ruleset\n`,
  );
  await once(owner.stdout, 'data');
  const deadline = Date.now() + 20_000;
  while (
    !tables.every((table) => site.onNode('nft', 'list', 'tables').includes(table)) &&
    Date.now() < deadline
  ) {
    await Bun.sleep(10);
  }
  return owner;
}

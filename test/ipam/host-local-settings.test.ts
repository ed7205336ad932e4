import { describe, expect, test } from 'bun:test';
import { formatCidr, formatIp } from '../../src/cni/address.ts';
import { CniError } from '../../src/cni/error.ts';
import type { Version } from '../../src/cni/version.ts';
import { readHostLocal, readLeaseDirectory } from '../../src/ipam/host-local-settings.ts';
import { formatRanges, sizeOf } from '../../src/ipam/range.ts';
import { referencePath, run } from '../program.ts';
import { requires } from '../requirements.ts';
import { configurationOf } from './pool.ts';

function setsOf(document: object): string[] {
  return readHostLocal(configurationOf(document), '').sets.map(formatRanges);
}

describe('ranges', () => {
  test.each([
    ['10.1.0.0/24', '10.1.0.1-10.1.0.254', 253n],
    ['10.1.0.0/30', '10.1.0.1-10.1.0.2', 1n],
    ['0.0.0.0/0', '0.0.0.1-255.255.255.254', 2n ** 32n - 3n],
    ['fd00::/64', 'fd00::1-fd00::ffff:ffff:ffff:ffff', 2n ** 64n - 2n],
    ['fd00::/126', 'fd00::1-fd00::3', 2n],
  ])('%s by default is %s', (subnet, text, size) => {
    const { sets } = readHostLocal(configurationOf({ ipam: { subnet } }), '');
    expect(sets.map(formatRanges)).toEqual([text]);
    expect(sets.map(sizeOf)).toEqual([size]);
  });

  test('a gateway outside of the range takes no address from it', () => {
    const range = { subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.19' };
    const { sets } = readHostLocal(configurationOf({ ipam: range }), '');
    expect(sets.map(sizeOf)).toEqual([10n]);
    expect(sets.map(([{ subnet, gateway }]) => [formatCidr(subnet), formatIp(gateway)])).toEqual([
      ['10.1.0.0/24', '10.1.0.1'],
    ]);
  });

  test('those of the runtime come first, then the one of old times, then the rest', () => {
    const document = {
      runtimeConfig: { ipRanges: [[{ subnet: '10.3.0.0/24' }]] },
      ipam: { subnet: '10.1.0.0/24', ranges: [[{ subnet: '10.2.0.0/24' }, { subnet: '10.4.0.0/24' }]] },
    };
    expect(setsOf(document)).toEqual([
      '10.3.0.1-10.3.0.254',
      '10.1.0.1-10.1.0.254',
      '10.2.0.1-10.2.0.254,10.4.0.1-10.4.0.254',
    ]);
  });

  test('keys in any spelling, null as good as absent', () => {
    const range = { SUBNET: '10.1.0.0/24', rangestart: '10.1.0.9', rangeEnd: null, gateway: '' };
    expect(setsOf({ IPAM: range })).toEqual(['10.1.0.9-10.1.0.254']);
  });
});

/** Configurations that the reference refuses: its message, and the path that ours has in front. */
const refused: [string, object, string, string][] = [
  [
    'ipam.ranges[0][1].rangeStart',
    { ranges: [[{ subnet: '10.2.0.0/24' }, { subnet: '10.1.0.0/24', rangeStart: '10.5.0.1' }]] },
    'invalid range set 0: RangeStart 10.5.0.1 not in network 10.1.0.0/24',
    '',
  ],
  [
    'ipam.rangeEnd',
    { subnet: '10.1.0.0/24', rangeEnd: '10.1.1.0' },
    'invalid range set 0: RangeEnd 10.1.1.0 not in network 10.1.0.0/24',
    '',
  ],
  [
    'ipam.rangeEnd',
    { subnet: '10.1.0.0/24', rangeEnd: '10.1.0.0' },
    'invalid range set 0: RangeEnd 10.1.0.0 not in network 10.1.0.0/24',
    '',
  ],
  [
    'ipam.rangeStart',
    { subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.8' },
    'invalid range set 0: RangeStart 10.1.0.9 not in network 10.1.0.0/24',
    '',
  ],
  [
    'ipam.rangeStart',
    { subnet: '10.1.0.0/24', rangeStart: 'fd00::1' },
    'invalid range set 0: RangeStart fd00::1 not in network 10.1.0.0/24',
    '',
  ],
  [
    'ipam.subnet',
    { subnet: '10.1.0.5/24' },
    'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.1.0.0',
    '',
  ],
  [
    'ipam.subnet',
    { subnet: '10.1.0.0/31' },
    'invalid range set 0: Network 10.1.0.0/31 too small to allocate from',
    '',
  ],
  [
    'ipam.ranges[0][0].subnet',
    { ranges: [[{ subnet: 'fd00::/127' }]] },
    'invalid range set 0: Network fd00::/127 too small to allocate from',
    '',
  ],
  [
    'ipam.ranges[1]',
    { ranges: [[{ subnet: '10.1.0.0/24' }], []] },
    'invalid range set 1: empty range set',
    '',
  ],
  [
    'ipam.ranges[0]',
    { ranges: [[{ subnet: '10.1.0.0/24' }, { subnet: 'fd00::/64' }]] },
    'invalid range set 0: mixed address families',
    '',
  ],
  [
    'ipam.ranges[0]',
    { ranges: [[{ subnet: '10.1.0.0/24' }, { subnet: '10.1.0.0/25' }]] },
    'invalid range set 0: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap',
    '',
  ],
  [
    '',
    { ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }], [{ subnet: '10.1.0.128/25' }]] },
    'range set 0 overlaps with 2',
    '',
  ],
  ['', {}, 'no IP ranges specified', ''],
  ['', { subnet: '10.1.0.0/24' }, 'ARGS: unknown args ["K=V"]', 'K=V'],
  ['', { subnet: '10.1.0.0/24' }, 'ARGS: invalid pair "K"', 'IgnoreUnknown=1;K'],
  ['', { subnet: '10.1.0.0/24' }, 'ARGS: error parsing value of pair "IP=x": invalid IP address x', 'IP=x'],
  [
    '',
    { subnet: '10.1.0.0/24' },
    'ARGS: error parsing value of pair "IgnoreUnknown=T": boolean unmarshal error: invalid input t',
    'IgnoreUnknown=T',
  ],
];

function refusalOf(read: () => unknown): CniError {
  try {
    read();
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

test.each(refused)('%s: refuses %j with %s', (path, ipam, message, args) => {
  const error = refusalOf(() => readHostLocal(configurationOf({ ipam }), args));
  expect(error.code).toBe(7);
  expect(error.message).toStartWith(path === '' ? message : `${path}: ${message}`);
});

describe.if(requires('reference-plugins'))('the reference', () => {
  test.each(refused)('%s: refuses %j with %s', async (_path, ipam, message, args) => {
    const environment = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c',
      CNI_IFNAME: 'eth0',
      CNI_NETNS: '/x',
      CNI_PATH: '/x',
      CNI_ARGS: args,
    };
    const stdin = JSON.stringify({
      cniVersion: '1.0.0',
      name: 'net',
      type: 'x',
      ipam: { type: 'host-local', dataDir: '/nowhere', ...ipam },
    });
    const { stdout } = await run([`${referencePath[0]}/host-local`], { environment, stdin });
    expect(JSON.parse(stdout).msg).toStartWith(message);
  });
});

test.each([
  [{ subnet: '10.1.0.x/24' }, 'ipam.subnet: "10.1.0.x/24" is not a CIDR address'],
  [
    { ranges: [[{ subnet: '10.1.0.0/24', gateway: 'x' }]] },
    'ipam.ranges[0][0].gateway: "x" is not an IP address',
  ],
  [{ ranges: [[{}]] }, 'ipam.ranges[0][0].subnet: is missing'],
  [{ ranges: [{ subnet: '10.1.0.0/24' }] }, 'ipam.ranges[0]: {"subnet":"10.1.0.0/24"} is not an array'],
  [{ subnet: '10.1.0.0/24', routes: [{ gw: '10.1.0.1' }] }, 'ipam.routes[0].dst: is missing'],
  [
    { subnet: '10.1.0.0/24', routes: [{ dst: '0.0.0.0/0', mtu: 1.5 }] },
    'ipam.routes[0].mtu: 1.5 is not an integer',
  ],
  ...(['mtu', 'advmss', 'priority', 'table'] as const).flatMap((name): [object, string][] =>
    [-1, 2 ** 32].map((number) => [
      { subnet: '10.1.0.0/24', routes: [{ dst: '0.0.0.0/0', [name]: number }] },
      `ipam.routes[0].${name}: ${number} is out of range`,
    ]),
  ),
  [
    { subnet: '10.1.0.0/24', routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', scope: 256 }] },
    'ipam.routes[1].scope: 256 is out of range',
  ],
  [{ subnet: '10.1.0.0/24', routes: ['x'] }, 'ipam.routes[0]: "x" is not an object'],
  [{ subnet: '10.1.0.0/24', dataDir: 'leases' }, 'ipam.dataDir: "leases" is not an absolute path'],
  [
    { subnet: '10.1.0.0/24', lockTimeout: '5' },
    'ipam.lockTimeout: "5" is not a duration such as "500ms" or "10s"',
  ],
])('names the place of what is wrong in %j', (ipam, message) => {
  expect(refusalOf(() => readHostLocal(configurationOf({ ipam }), '')).message).toBe(message);
});

test('without ipam there is nothing to do', () => {
  const { message } = refusalOf(() => readLeaseDirectory(configurationOf({})));
  expect(message).toBe("IPAM config missing 'ipam' key");
});

test.each<[Version, string | undefined]>([
  ['0.2.0', 'CNI version 0.2.0 does not support more than 1 address per family'],
  ['0.3.0', undefined],
])('two sets of a family in version %s', (version, message) => {
  const ipam = { ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: '10.2.0.0/24' }]] };
  const read = () => readHostLocal(configurationOf({ ipam }, version), '');
  expect(message === undefined ? read().sets.length : refusalOf(read).message).toBe(message ?? 2);
});

test('the directory, and how long to wait for its lock', () => {
  const ipam = { dataDir: '/data/', lockTimeout: '2s', ranges: 'wrong, but of no matter here' };
  const read = readLeaseDirectory(configurationOf({ ipam }));
  expect(read).toMatchObject({ dataDir: '/data/', directory: '/data/net', lockTimeoutMs: 2000 });
  const byDefault = readLeaseDirectory(configurationOf({ ipam: {} }));
  expect(byDefault).toMatchObject({ directory: '/var/lib/cni/networks/net', lockTimeoutMs: 30_000 });
});

test.each(['5', 5, {}])('a lockTimeout of %j keeps nobody from giving a lease back', (lockTimeout) => {
  const configuration = configurationOf({ ipam: { subnet: '10.1.0.0/24', dataDir: '/data', lockTimeout } });
  expect(readLeaseDirectory(configuration)).toMatchObject({ directory: '/data/net', lockTimeoutMs: 30_000 });
  expect(refusalOf(() => readHostLocal(configuration, '')).message).toStartWith('ipam.lockTimeout: ');
});

test.each(['leases', 5])('with a dataDir of %j nobody knows where the leases are', (dataDir) => {
  const configuration = configurationOf({ ipam: { dataDir } });
  expect(refusalOf(() => readLeaseDirectory(configuration)).message).toStartWith('ipam.dataDir: ');
});

test('the greatest numbers of a route', () => {
  const route = { dst: '0.0.0.0/0', mtu: 2 ** 32 - 1, table: 2 ** 32 - 1, priority: 0, scope: 255 };
  const { routes } = readHostLocal(configurationOf({ ipam: { subnet: '10.1.0.0/24', routes: [route] } }), '');
  expect(routes.map((read) => ({ ...read }))).toEqual([route]);
});

test('routes as they go into the result', () => {
  const given = {
    DST: '10.0.0.0/08',
    gw: '10.1.0.1',
    mtu: 1400,
    table: 5,
    scope: 0,
    priority: null,
    other: [1],
  };
  const ipam = { subnet: '10.1.0.0/24', routes: [given, { dst: '::/0' }] };
  const { routes } = readHostLocal(configurationOf({ ipam }), '');
  expect(routes.map((route) => ({ ...route }))).toEqual([
    { dst: '10.0.0.0/8', gw: '10.1.0.1', mtu: 1400, table: 5, scope: 0, other: [1] },
    { dst: '::/0' },
  ]);
});

test('requested addresses of the three sources, each once', () => {
  const document = {
    args: { cni: { ips: ['10.1.0.5/24', '10.1.0.6'] } },
    runtimeConfig: { ips: ['fd00::5/64', '10.1.0.7'] },
    ipam: { ranges: [[{ subnet: '10.1.0.0/24' }]] },
  };
  const { requested } = readHostLocal(configurationOf(document), 'IgnoreUnknown=true;K=V;IP=10.1.0.7/16');
  expect(requested.map(formatIp)).toEqual(['10.1.0.7', '10.1.0.5', '10.1.0.6', 'fd00::5']);
  const wrong = configurationOf({
    args: { cni: { ips: ['10.1.0.5', null] } },
    ipam: { subnet: '10.1.0.0/24' },
  });
  expect(refusalOf(() => readHostLocal(wrong, '')).message).toBe('args.cni.ips[1]: is missing');
});

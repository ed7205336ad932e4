import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answered, executable } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { addressSeenBy, answersPing, isSilent, Server } from '../packets.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations and answers are read as JSON.
type Json = any;

const file = join(import.meta.dir, '../../../conflists/63-node-subnet.conf');
const asItStands = readFileSync(file, 'utf8');
const base = { ...JSON.parse(asItStands), type: 'bridge', cniVersion: '1.1.0' };

let site: Site;
let one: Pod;
let two: Pod;
beforeEach(() => {
  site = new Site();
  [one, two] = [site.pod('one'), site.pod('two')];
});
afterEach(() => site[Symbol.dispose]());

/** The leases are this site's own. */
const configuration = (keys: object = {}): Json => ({ ...base, ipam: { dataDir: site.leases }, ...keys });
const addressOf = ({ ips }: Json): string => ips[0].address;
const bridgeAddresses = () => site.onNode('ip', '-o', 'addr', 'show', 'dev', 'humanz-cni0');

describe.if(requires('root', 'ip', 'nft', 'ping'))('the configuration with a subnet of the node', () => {
  test.each(['own/humanz-cni', 'dist/bin/bridge'])('works as it stands for %s', async (program) => {
    site.addOutside();
    const call = (pod: Pod): Call => ({ pod, through: inPlaceOf(site, program) });
    const add = async (pod: Pod) => answered(await site.call('ADD', asItStands as Json, call(pod)));
    const results = [await add(one), await add(two)];
    expect(results.map(addressOf)).toEqual(['100.100.0.2/24', '100.100.0.3/24']);
    expect(results[0]).toMatchObject({
      cniVersion: '0.3.1',
      interfaces: [{ name: 'humanz-cni0' }, {}, { name: 'eth0', sandbox: one.netns }],
      ips: [{ version: '4', gateway: '100.100.0.1', interface: 2 }],
      routes: [{ dst: '0.0.0.0/0', gw: '100.100.0.1' }],
    });
    expect(bridgeAddresses()).toContain('inet 100.100.0.1/24');
    expect(site.inPod(one, 'ip', 'route', 'show', 'default')).toStartWith('default via 100.100.0.1 dev eth0');
    expect(answersPing(one.netns, '100.100.0.3')).toBeTrue();
    expect(answersPing(one.netns, '192.0.2.1')).toBeTrue();
    // Nobody masquerades: the host outside gets the pod's address, and knows no way back.
    expect(isSilent(one.netns, '192.0.2.2')).toBeTrue();
    expect(site.onNode('nft', 'list', 'ruleset')).toBe('');

    expect(site.leased('humanz-cni')).toEqual(['100.100.0.2', '100.100.0.3']);
    site.removeNamespace(one);
    for (const pod of [one, two]) await site.del(asItStands as Json, call(pod));
    expect(site.leased('humanz-cni')).toEqual([]);
    expect(site.links().filter((name) => name.startsWith('veth'))).toEqual([]);
    const isRecorded = existsSync(join(site.scratch.folder, 'tmp/cni_output.log'));
    expect(isRecorded).toBe(program === 'own/humanz-cni');
  });

  test('ADD, CHECK, STATUS, GC and DEL; an exhausted subnet is said', async () => {
    const small = configuration({ subnet: '100.100.0.0/29' });
    const before = await site.warmUp(small);
    const pods = Array.from({ length: 5 }, (_, index) => site.pod(`p${index}`));
    const results: Json[] = [];
    for (const pod of pods) results.push(await site.add(small, { pod }));
    expect(new Set(results.map(addressOf)).size).toBe(5);
    const check = { ...small, prevResult: results[0] };
    expect(await site.call('CHECK', check, { pod: pods[0]! })).toMatchObject({ status: 0 });
    const { msg } = await site.fail('ADD', small, { pod: one });
    expect(msg).toBe(
      'failed to allocate for range 0: no IP addresses available in range set: 100.100.0.1-100.100.0.6',
    );
    expect(site.links(one.netns)).toEqual(['lo']);
    expect(await site.fail('STATUS', small)).toMatchObject({ code: 50 });
    const valid = [{ containerID: 'p0', ifname: 'eth0' }];
    expect(await site.call('GC', { ...small, 'cni.dev/valid-attachments': valid })).toMatchObject({
      status: 0,
    });
    expect(site.leased('humanz-cni')).toEqual([addressOf(results[0]).replace('/29', '')]);
    expect(await site.call('STATUS', small)).toMatchObject({ status: 0, stdout: '' });
    await site.del(check, { pod: pods[0]! });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('of IPv6', async () => {
    const v6 = configuration({ network: 'fd00:100::/48', subnet: 'fd00:100:0:1::/64' });
    const results = [await site.add(v6, { pod: one }), await site.add(v6, { pod: two })];
    expect(results.map(addressOf)).toEqual(['fd00:100:0:1::2/64', 'fd00:100:0:1::3/64']);
    expect(answersPing(one.netns, 'fd00:100:0:1::3')).toBeTrue();
    expect(site.inPod(one, 'ip', '-6', 'route', 'show', 'default')).toContain('via fd00:100:0:1::1');
  });

  test('the keys of the bridge still count: no default route, no gateway', async () => {
    const { routes } = await site.add(configuration({ isDefaultGateway: false }), { pod: one });
    expect(routes).toBeUndefined();
    expect(bridgeAddresses()).toContain('inet 100.100.0.1/24');
    const plain = configuration({
      isDefaultGateway: false,
      isGateway: false,
      bridge: 'other0',
      name: 'other',
    });
    await site.add(plain, { pod: two });
    expect(site.onNode('ip', '-o', '-4', 'addr', 'show', 'dev', 'other0')).toBe('');
  });
});

describe.if(requires('root', 'ip', 'nft', 'ping'))('ipMasq with the network of all nodes', () => {
  /** Another node's pod, on the host outside: in the network, and not in this node's subnet. */
  const elsewhere = '100.100.2.9';
  beforeEach(() => {
    site.addOutside();
    const outside = { name: 'outside', netns: site.outside };
    site.inPod(outside, 'ip', 'addr', 'add', `${elsewhere}/32`, 'dev', 'lo');
    site.inPod(outside, 'ip', 'route', 'add', '100.100.0.0/24', 'via', '192.0.2.1');
    site.onNode('ip', 'route', 'add', '100.100.2.0/24', 'via', '192.0.2.2');
  });

  test('leaves what goes to the network alone, and masquerades the rest', async () => {
    const masquerading = configuration({ ipMasq: true });
    const before = await site.warmUp(masquerading);
    const prevResult = await site.add(masquerading, { pod: one });
    using _outside = await Server.start(site.outside);
    expect(addressSeenBy(elsewhere, one.netns)).toBe('100.100.0.3');
    expect(addressSeenBy('192.0.2.2', one.netns)).toBe('192.0.2.1');
    const checked = { ...masquerading, prevResult };
    expect(await site.call('CHECK', checked, { pod: one })).toMatchObject({ status: 0 });
    await site.del(checked, { pod: one });
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('without a network only the subnet is left alone', async () => {
    await site.add(configuration({ ipMasq: true, network: undefined }), { pod: one });
    using _outside = await Server.start(site.outside);
    expect(addressSeenBy(elsewhere, one.netns)).toBe('192.0.2.1');
  });

  test('a network that changed since: CHECK says so, DEL finds what is there, the next ADD does as it says', async () => {
    const first = configuration({ ipMasq: true, network: '100.100.0.0/23' });
    const changed = configuration({ ipMasq: true });
    await site.warmUp(first);
    const before = await site.warmUp(changed);
    const prevResult = await site.add(first, { pod: one });
    const { msg } = await site.fail('CHECK', { ...changed, prevResult }, { pod: one });
    expect(msg).toContain('ipMasq');
    await site.add(changed, { pod: two });
    using _outside = await Server.start(site.outside);
    expect(addressSeenBy(elsewhere, one.netns)).toBe('192.0.2.1');
    expect(addressSeenBy(elsewhere, two.netns)).toStartWith('100.100.0.');
    await site.del({ ...changed, prevResult }, { pod: one });
    await site.del(changed, { pod: two });
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

describe.if(requires('root', 'ip', 'nft'))('a subnet that cannot be meant', () => {
  test.each<[string, object, string]>([
    ['is no CIDR', { subnet: '100.100.0.0' }, 'subnet: "100.100.0.0" is not a CIDR address'],
    ['is no text', { subnet: 24 }, 'subnet: 24 is not a string'],
    ['has host bits', { subnet: '100.100.0.1/24' }, 'subnet: invalid range set 0: Network has host bits set'],
    [
      'is too small',
      { subnet: '100.100.0.0/31' },
      'subnet: invalid range set 0: Network 100.100.0.0/31 too small',
    ],
    [
      'is not in the network',
      { subnet: '100.101.0.0/24' },
      'network: 100.100.0.0/16 does not contain the subnet 100.101.0.0/24',
    ],
    [
      'is larger than it',
      { subnet: '100.0.0.0/8' },
      'network: 100.100.0.0/16 does not contain the subnet 100.0.0.0/8',
    ],
    [
      'is of the other family',
      { subnet: 'fd00::/64' },
      'network: 100.100.0.0/16 does not contain the subnet fd00::/64',
    ],
    ['is in no network', { network: 'all' }, 'network: "all" is not a CIDR address'],
    [
      'stands beside another subnet',
      { ipam: { subnet: '10.50.0.0/16' } },
      'subnet: stands beside "ipam" with "subnet"',
    ],
    ['stands beside an ipam that cannot be read', { ipam: 5 }, 'ipam: 5 is not an object'],
  ])('%s: code 7 that says which, and nothing is made', async (_, keys, told) => {
    const before = site.snapshot();
    const { code, msg } = await site.fail('ADD', configuration(keys), { pod: one });
    expect(code).toBe(7);
    expect(msg).toStartWith(told);
    expect(difference(before, site.snapshot())).toEqual([]);
  });

  test('beside an ipam with a type is a key like any other', async () => {
    const { ips } = await site.add(configuration({ ipam: site.ipam(['10.50.0.0/16']) }), { pod: one });
    expect(ips).toEqual([expect.objectContaining({ address: '10.50.0.2/16' })]);
  });

  test('keeps no DEL from giving back what an ADD took', async () => {
    await site.add(configuration(), { pod: one });
    const { stderr, status } = await site.call('DEL', configuration({ subnet: 'x', network: 5 }), {
      pod: one,
    });
    expect(status).toBe(0);
    expect(stderr).toContain('subnet: "x" is not a CIDR address');
    expect(stderr).toContain('network: 5 is not a string');
    expect(site.leased('humanz-cni')).toEqual([]);
    expect(site.links(one.netns)).toEqual(['lo']);
  });
});

/**
 * A command that starts our program, `own/humanz-cni` or `dist/...`, where /var/lib, /var/log and /tmp are the site's:
 * its configuration names no file.
 */
function inPlaceOf({ scratch: { folder }, leases }: Site, program: string): string[] {
  for (const name of ['lib/cni', 'log', 'tmp', 'leases']) mkdirSync(join(folder, name), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  const links: [string, string][] = [
    [`/mnt/own/${leases.slice(folder.length + 1)}`, 'lib/cni/networks'],
    ['/mnt/dist/cni-debug', 'humanz-cni'],
  ];
  for (const [target, name] of links) {
    try {
      symlinkSync(target, join(folder, name));
    } catch {
      // From an earlier call.
    }
  }
  const script = `set -e
    mount -t tmpfs none /mnt; mkdir /mnt/dist /mnt/own
    mount --bind '${dirname(executable.BIN)}' /mnt/dist; mount --bind '${folder}' /mnt/own
    for name in lib log; do mount --bind /mnt/own/$name /var/$name; done
    mount --bind /mnt/own/tmp /tmp
    exec /mnt/${program}`;
  return ['unshare', '-m', 'sh', '-c', script];
}

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours, reference } from '../implementations.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations are read as JSON.
type Json = any;

const nobody = 65534;

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('what users are told when ADD fails', () => {
  let site: Site;
  let pod: Pod;
  beforeEach(() => {
    site = new Site();
    pod = site.pod('pod');
  });
  afterEach(() => site[Symbol.dispose]());

  const ip = (...lines: string[]) => lines.map((line) => site.onNode('ip', ...line.split(' ')));
  /** Text and details of the error; it leaves no lease and no veth, whatever it is. */
  async function told(keys: Json, call: Call = {}): Promise<string> {
    const leases = site.leased();
    const links = veths(site);
    const { msg, details = '' } = await site.fail('ADD', site.configuration(keys), { pod, ...call });
    expect(site.leased()).toEqual(leases);
    expect(veths(site)).toEqual(links);
    return `${msg}\n${details}`;
  }
  const pool = (ranges: object[], keys: object = {}) => ({ ...site.ipam([]), ranges: [ranges], ...keys });

  const cases: [string, () => Promise<string>, (string | RegExp)[]][] = [
    [
      'the bridge has another address',
      () => {
        ip('link add cni0 type bridge', 'addr add 10.70.0.1/16 dev cni0');
        return told({ isGateway: true });
      },
      ['"cni0" already has an IP address different from 10.50.0.1/16'],
    ],
    [
      'the bridge has an IPv6 address of an overlapping subnet',
      () => {
        ip('link add cni0 type bridge', 'addr add fd00:50::9/56 dev cni0 nodad');
        return told({ isGateway: true, ipam: site.ipam(['fd00:50::/64']) });
      },
      ['"cni0" already has an IP address different from fd00:50::1/64'],
    ],
    [
      'the bridge is none',
      () => {
        ip('link add cni0 type veth peer name other');
        return told({});
      },
      ['"cni0" already exists but is not a bridge'],
    ],
    [
      'the bridge has a name that the kernel does not take',
      () => told({ bridge: 'a-name-of-16-byte' }),
      ['"a-name-of-16-byte"'],
    ],
    [
      'dns is what no result may have',
      () => told({ dns: { nameservers: ['10.50.0.1', 5], domain: 'd' } }),
      ['dns.nameservers[1]: 5 is not a string'],
    ],
    [
      'the interface is there',
      () => {
        site.inPod(pod, 'ip', 'link', 'add', 'eth0', 'type', 'bridge');
        return told({});
      },
      ['container veth name ("eth0")', 'already exists'],
    ],
    ['the network namespace is missing', () => told({}, { netns: '/run/netns/none' }), ['/run/netns/none']],
    [
      'the network namespace is a regular file',
      () => {
        const path = join(site.scratch.folder, 'netns');
        writeFileSync(path, '');
        return told({}, { netns: path });
      },
      ['netns'],
    ],
    [
      'the network namespace is of another type',
      () => told({}, { netns: `/proc/${process.pid}/ns/mnt` }),
      [`/proc/${process.pid}/ns/mnt`],
    ],
    [
      'the pool is exhausted',
      async () => {
        const ipam = pool([{ subnet: '10.50.0.0/30' }]);
        await site.add(site.configuration({ ipam }), { pod: site.pod('other') });
        return told({ ipam });
      },
      ['no IP addresses available in range set: 10.50.0.1-10.50.0.2'],
    ],
    [
      'the requested address is somebody else’s',
      async () => {
        await site.add(site.configuration(), { pod: site.pod('other') });
        return told({}, { args: 'IgnoreUnknown=1;IP=10.50.0.2' });
      },
      ['requested IP address 10.50.0.2 is not available in range set 10.50.0.1-10.50.255.254'],
    ],
    [
      'the container has an address already',
      async () => {
        await site.add(site.configuration(), { pod: { ...site.pod('other'), name: 'pod' } });
        return told({});
      },
      ['10.50.0.2 has been allocated to pod, duplicate allocation is not allowed'],
    ],
    ['the IPAM plugin is missing', () => told({ ipam: { type: 'nonesuch' } }), ['"nonesuch"', ours.folder]],
    ['the IPAM plugin fails', () => fakeIpam('{"code":77,"msg":"out of luck"}', 1), ['out of luck']],
    [
      'the IPAM plugin gives no address',
      () => fakeIpam('{"cniVersion":"1.0.0","ips":[]}', 0),
      ['IPAM plugin returned missing IP config'],
    ],
    [
      'hairpinMode and promiscMode',
      () => told({ hairpinMode: true, promiscMode: true }),
      ['cannot set hairpin mode and promiscuous mode at the same time'],
    ],
    [
      'a VLAN out of range',
      () => told({ vlan: 4095 }),
      ['4095', 'invalid VLAN ID', '(must be between 0 and 4094)'],
    ],
    ['vlan and vlanTrunk', () => told({ vlan: 5, vlanTrunk: [{ id: 6 }] }), [/vlan.*vlanTrunk/]],
    [
      'a VLAN trunk the wrong way round',
      () => told({ vlanTrunk: [{ minID: 5, maxID: 4 }] }),
      [/minID.* greater than .*maxID/],
    ],
    ['half of a VLAN trunk', () => told({ vlanTrunk: [{ minID: 5 }] }), [/minID.*maxID/]],
    ['a MAC that is none', () => told({ runtimeConfig: { mac: 'x' } }), [/"?x"?/, /mac/i]],
    [
      'an MTU that the kernel does not take',
      () => told({ mtu: 70000 }),
      [/mtu|EINVAL|invalid argument|out of range/i],
    ],
  ];

  test.each(cases)('%s', async (_, provoke, expected) => {
    const text = await provoke();
    for (const one of expected)
      expect(text).toMatch(typeof one === 'string' ? new RegExp(RegExp.escape(one)) : one);
  });

  /** IPAM by a script, whose DEL must be called for its ADD. */
  async function fakeIpam(answer: string, status: number): Promise<string> {
    const path = join(site.scratch.folder, 'fake');
    const script = `#!/bin/sh\ncat > /dev/null\n[ "$CNI_COMMAND" = ADD ] || exit 0\necho '${answer}'; exit ${status}\n`;
    writeFileSync(path, script, { mode: 0o755 });
    return told({ ipam: { type: 'fake' } }, { searched: [site.scratch.folder, reference.folder] });
  }

  test('a kernel without VLAN filtering is named, and nothing is left (ours)', async () => {
    if (canFilterVlans(site)) return;
    expect(await told({ vlan: 5 })).toMatch(/vlan/i);
    expect(site.links()).toEqual(['lo']);
  });

  test('the namespace of the node itself is refused with code 8 (ours)', async () => {
    const { code } = await site.fail('ADD', site.configuration({ ipam: undefined }), {
      pod,
      netns: site.node,
    });
    expect(code).toBe(8);
  });

  test('without CAP_NET_ADMIN the operation is named (ours)', async () => {
    const before = await site.warmUp(site.configuration({ isGateway: true }));
    const through = ['setpriv', '--bounding-set=-net_admin'];
    expect(await told({ isGateway: true }, { through })).toMatch(/EPERM|[Oo]peration not permitted/);
    expect(difference(before, site.snapshot())).toEqual([]);
    site.onNode('ip', 'link', 'del', 'cni0');
    expect(await told({ isGateway: true }, { through })).toContain('could not add "cni0"');
  });

  test('as nobody (ours)', async () => {
    const before = await site.warmUp(site.configuration({ isGateway: true }));
    const folder = join(site.scratch.folder, 'bin');
    mkdirSync(folder);
    for (const one of [site.scratch.folder, folder]) chmodSync(one, 0o755);
    const plugin = realpathSync(join(ours.folder, 'bridge'));
    copyFileSync(plugin, join(folder, 'bridge'));
    const library = join(dirname(plugin), 'koffi.node');
    if (existsSync(library)) copyFileSync(library, join(folder, 'koffi.node'));
    const ids = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const call = { by: { ...ours, folder }, through: ['setpriv', ...ids], searched: [ours.folder] };
    const { msg } = await site.fail('ADD', site.configuration({ isGateway: true }), { pod, ...call });
    expect(msg).toMatch(/EPERM|EACCES|[Oo]peration not permitted|[Pp]ermission denied/);
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

function veths(site: Site): string[] {
  return site.links().filter((name) => name.startsWith('veth'));
}

function canFilterVlans(site: Site): boolean {
  try {
    site.onNode('ip', 'link', 'add', 'try0', 'type', 'bridge', 'vlan_filtering', '1');
    site.onNode('ip', 'link', 'del', 'try0');
    return true;
  } catch {
    return false;
  }
}

import { describe, expect, test } from 'bun:test';
import { parseCidr } from '../../src/cni/address.ts';
import type { HostPlace } from '../../src/lint/host-network.ts';
import { texts } from './rule-cases.ts';
import { everyVersion, look, plugin, type Site } from './site.ts';

const { named, bridge, hostLocal } = texts;

/** The IDs of the findings above info. */
async function ids(site: Site): Promise<string[]> {
  const { findings } = await look(site);
  return findings.filter(({ severity }) => severity !== 'info').map(({ id }) => id);
}

function networks(...plugins: string[]): Site {
  const files = plugins.map((plugin, index) => [`${index}0-net.conflist`, named(`net${index}`, plugin)]);
  return { files: Object.fromEntries(files) };
}

function macvlan(master: string, range: string): string {
  return `{ "type": "macvlan", "master": "${master}", ${hostLocal(range)} }`;
}

describe('subnets of two networks', () => {
  const [low, high] = ['"rangeEnd": "10.1.0.99"', '"rangeStart": "10.1.0.100"'];
  const subnet = '"subnet": "10.1.0.0/16"';

  test.each([
    [
      'on one master, shared out',
      macvlan('up0', `${subnet}, ${low}`),
      macvlan('up0', `${subnet}, ${high}`),
      [],
    ],
    ['on one master, not shared out', macvlan('up0', subnet), macvlan('up0', `${subnet}, ${high}`), ['L020']],
    [
      'shared out, but on two masters',
      macvlan('up0', `${subnet}, ${low}`),
      macvlan('up1', `${subnet}, ${high}`),
      ['L020'],
    ],
    [
      'on one bridge, shared out',
      bridge(hostLocal(`${subnet}, ${low}`)),
      bridge(hostLocal(`${subnet}, ${high}`)),
      [],
    ],
    [
      'on one bridge in two VLANs',
      bridge(`"vlan": 1, ${hostLocal(`${subnet}, ${low}`)}`),
      bridge(`"vlan": 2, ${hostLocal(`${subnet}, ${high}`)}`),
      ['L020'],
    ],
    [
      'of two families',
      bridge(hostLocal(subnet)),
      bridge(`"bridge": "b0", ${hostLocal('"subnet": "fd00::/64"')}`),
      [],
    ],
    [
      'one of them beside "bridge"',
      bridge('"subnet": "10.1.2.0/24"'),
      bridge(`"bridge": "b0", ${hostLocal(subnet)}`),
      ['L020'],
    ],
    [
      'one of them of a delegate',
      bridge(hostLocal(subnet)),
      `{ "type": "debug", "delegate": [${bridge(`"bridge": "b0", ${hostLocal(subnet)}`)}] }`,
      ['L020'],
    ],
    [
      'one of them of debug that is the bridge itself',
      bridge(hostLocal(subnet)),
      `{ "type": "debug", "bridge": "b0", ${hostLocal(subnet)} }`,
      ['L020'],
    ],
  ])('%s', async (_, first, second, found) => {
    expect(await ids(networks(first, second))).toEqual(found);
  });
});

describe('addresses of one bridge', () => {
  const gateway = (range: string, more = '"isGateway": true') => bridge(`${more}, ${hostLocal(range)}`);

  test.each([
    [
      'two of IPv6 that do not overlap',
      gateway('"subnet": "fd00:1::/64"'),
      gateway('"subnet": "fd00:2::/64"'),
      [],
    ],
    [
      'two of IPv6 that do',
      gateway('"subnet": "fd00:1::/64"'),
      gateway('"subnet": "fd00:1::/48"'),
      ['L020', 'L024'],
    ],
    [
      'only one is a gateway',
      gateway('"subnet": "10.1.0.0/16"'),
      gateway('"subnet": "10.2.0.0/16"', '"ipMasq": true'),
      [],
    ],
    [
      'each in its VLAN',
      gateway('"subnet": "10.1.0.0/16"', '"isGateway": true, "vlan": 1'),
      gateway('"subnet": "10.2.0.0/16"', '"isDefaultGateway": true, "vlan": 2'),
      [],
    ],
  ])('%s', async (_, first, second, found) => {
    expect((await ids(networks(first, second))).sort()).toEqual(found);
  });

  test('a bridge with a subnet of its own is a gateway unless it says no', async () => {
    const other = gateway('"subnet": "10.2.0.0/16"');
    expect(await ids(networks(bridge('"subnet": "10.1.0.0/16"'), other))).toEqual(['L024']);
    const none = bridge('"subnet": "10.1.0.0/16", "isGateway": false, "isDefaultGateway": false');
    expect(await ids(networks(none, other))).toEqual([]);
  });

  test('two IPv4 subnets of one network are two addresses, too', async () => {
    const ranges =
      '"ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.0.0/16" }], [{ "subnet": "10.2.0.0/16" }]] }';
    expect(await ids(networks(bridge(`"isGateway": true, ${ranges}`)))).toEqual(['L024']);
    expect(await ids(networks(bridge(ranges)))).toEqual([]);
  });
});

describe('what the node has', () => {
  const place = (cidr: string, link: string, kind?: string): HostPlace => {
    return { cidr: parseCidr(cidr)!, link, kind, text: `${cidr} of ${link}` };
  };
  const all = Object.fromEntries(
    ['bridge', 'macvlan', 'ptp', 'host-local'].map((type) => [type, plugin(...everyVersion)]),
  );
  const subnet = hostLocal('"subnet": "10.1.0.0/16"');

  test.each<[string, string, HostPlace, string[]]>([
    ['a wider network', bridge(subnet), place('10.0.0.0/8', 'eth0'), ['L021']],
    ['a neighbouring network', bridge(subnet), place('10.2.0.0/16', 'eth0'), []],
    ['the own bridge', bridge(`"bridge": "b0", ${subnet}`), place('10.1.0.1/16', 'b0', 'bridge'), []],
    ['another bridge', bridge(`"bridge": "b0", ${subnet}`), place('10.1.0.1/16', 'cni0', 'bridge'), ['L021']],
    ['the gateway of its VLAN', bridge(`"vlan": 7, ${subnet}`), place('10.1.0.1/16', 'cni0.7', 'veth'), []],
    [
      'the network of the master of a macvlan',
      `{ "type": "macvlan", "master": "eth0", ${subnet} }`,
      place('10.1.0.9/16', 'eth0'),
      [],
    ],
    ['the routes that ptp makes', `{ "type": "ptp", ${subnet} }`, place('10.1.0.5/32', 'veth1', 'veth'), []],
    [
      'something else in the way of ptp',
      `{ "type": "ptp", ${subnet} }`,
      place('10.1.0.5/24', 'eth0'),
      ['L021'],
    ],
  ])('%s', async (_, text, host, found) => {
    expect(await ids({ ...networks(text), plugins: all, host: [host] })).toEqual(found);
  });
});

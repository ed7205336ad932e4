import { describe, expect, test } from 'bun:test';
import { similarKey } from '../../src/lint/similar-key.ts';
import { texts } from './rule-cases.ts';
import { look } from './site.ts';

const { list, bridge, hostLocal, portmap } = texts;

/** `id path` of every finding above info, of one file. */
async function found(text: string, name = '10-net.conflist'): Promise<string[]> {
  const { findings } = await look({ files: { [name]: text }, single: name });
  return findings.filter(({ severity }) => severity !== 'info').map(({ id, path }) => `${id} ${path}`);
}

describe('keys', () => {
  test.each<[string, string, string[]]>([
    ['of a list', list(bridge()).replace('"name"', '"extra": 1, "name"'), ['L006 extra']],
    ['of a plugin that nobody knows are its own affair', list('{ "type": "calico", "felix": 1 }'), []],
    [
      'of host-local under a plugin that nobody knows',
      list(`{ "type": "calico", ${hostLocal('"subnet": "10.1.0.0/16", "gw": "10.1.0.1"')} }`),
      ['L006 plugins[0].ipam.ranges[0][0].gw'],
    ],
    [
      'in free maps are free',
      list(
        '{ "type": "bridge", "args": { "cni": { "Mick": 1 } }, "runtimeConfig": { "x": 1 } }',
        '{ "type": "tuning", "sysctl": { "net.ipv4.X": "1" } }',
      ),
      [],
    ],
    [
      'of the specification',
      list('{ "type": "bridge", "cni.dev/valid-attachments": [], "prevResult": {} }'),
      [],
    ],
    [
      'of a delegate',
      list(`{ "type": "debug", "delegate": [${bridge('"isGatway": true')}] }`),
      ['L006 plugins[0].delegate[0].isGatway'],
    ],
    [
      'of the delegate of flannel, which is a bridge',
      list('{ "type": "flannel", "delegate": { "hairpinmode": true } }'),
      ['L007 plugins[0].delegate.hairpinmode'],
    ],
    [
      'of a bridge in debug that is one',
      list(`{ "type": "debug", "isGateway": true, ${hostLocal('"subnet": "10.1.0.0/16"')} }`),
      [],
    ],
    [
      'of a bridge in debug that is none',
      list(bridge(), '{ "type": "debug", "isGateway": true }'),
      ['L006 plugins[1].isGateway'],
    ],
    [
      'beside a subnet for the node',
      list('{ "type": "bridge", "subnet": "10.1.0.0/24", "ipam": { "dataDir": "/d", "resolvConf": "/r" } }'),
      [],
    ],
    [
      'in two spellings',
      list(bridge('"mtu": 1400, "MTU": 1500')),
      ['L002 plugins[0].MTU', 'L007 plugins[0].MTU'],
    ],
    ['that are remarks', list(bridge('"_comment": "why", "//": "how"')), []],
    ['that nerdctl adds', list(bridge()).replace('"name"', '"nerdctlID": "x", "name"'), []],
    [
      'twice, somewhere deep',
      list('{ "type": "calico", "a": [{ "b": { "c": 1, "c": 1 } }] }'),
      ['L002 plugins[0].a[0].b.c'],
    ],
    ['in two spellings of a plugin that nobody knows', list('{ "type": "calico", "c": 1, "C": 1 }'), []],
  ])('%s', async (_, text, ids) => {
    expect(await found(text)).toEqual(ids);
  });

  test('of a .conf are those of its plugin', async () => {
    expect(
      await found('{ "cniVersion": "1.0.0", "name": "net", "type": "bridge", "mtu": "x" }', '10-net.conf'),
    ).toEqual(['L008 mtu']);
  });

  test.each([
    ['"rangeStart": "10.1.0.9"', '', 'move it into "ipam", where "host-local" reads it'],
    ['', '"isGateway": true', 'move it out of "ipam", to where "bridge" reads it'],
    ['"nonsense": 1', '', 'remove it, or look up how it is called'],
  ])('beside or inside "ipam" is said where it belongs: %s%s', async (beside, inside, fix) => {
    const ipam = `"ipam": { "type": "host-local", "subnet": "10.1.0.0/16"${inside === '' ? '' : `, ${inside}`} }`;
    const text = list(bridge([beside, ipam].filter((part) => part !== '').join(', ')));
    const { findings } = await look({ files: { '10-net.conflist': text } });
    expect(findings.map(({ id, fix }) => `${id} ${fix}`)).toEqual([`L006 ${fix}`]);
  });

  test.each([
    ['isGatway', 'isGateway'],
    ['is_gateway', 'isGateway'],
    ['hairpinmod', 'hairpinMode'],
    ['forceAdress', 'forceAddress'],
    ['brigde', 'bridge'],
    ['mut', 'mtu'],
    ['xyz', undefined],
    ['gateway', 'isGateway'],
    ['ipam', undefined],
  ])('by %j is meant %j', (key, meant) => {
    expect(similarKey(key, ['isGateway', 'hairpinMode', 'forceAddress', 'bridge', 'mtu', 'vlan'])).toBe(
      meant!,
    );
  });
});

describe('values', () => {
  test.each<[string, string, string[]]>([
    ['a fraction for an integer', list(bridge('"mtu": 1500.0')), ['L008 plugins[0].mtu']],
    ['a number in the scientific way', list(bridge('"mtu": 1e3')), ['L008 plugins[0].mtu']],
    [
      'null for anything',
      list(bridge('"mtu": null, "isGateway": null, "ipam": null, "vlanTrunk": null')),
      [],
    ],
    ['an item of a list', list(bridge('"dns": { "search": ["a", 1] }')), ['L008 plugins[0].dns.search[1]']],
    [
      'deep inside',
      list(bridge('"vlanTrunk": [{ "id": 5 }, { "minID": 9, "maxID": 8 }]')),
      ['L009 plugins[0].vlanTrunk[1]'],
    ],
    [
      'what excludes each other',
      list(bridge('"hairpinMode": true, "promiscMode": true')),
      ['L009 plugins[0].hairpinMode'],
    ],
    [
      'of every range',
      list(
        bridge(
          '"ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.0.1/16" }], [{ "subnet": "x" }]] }',
        ),
      ),
      ['L009 plugins[0].ipam.ranges[0][0].subnet', 'L009 plugins[0].ipam.ranges[1][0].subnet'],
    ],
    [
      'ranges of one network that overlap',
      list(
        bridge(
          '"ipam": { "type": "host-local", "ranges": [[{ "subnet": "fd00::/64" }], [{ "subnet": "fd00::/48" }]] }',
        ),
      ),
      ['L009 plugins[0].ipam'],
    ],
    ['host-local without any', list(bridge('"ipam": { "type": "host-local" }')), ['L009 plugins[0].ipam']],
    ['a name that is none', list(bridge()).replace('"net"', '"a net"'), ['L009 name']],
    ['a version for what has no address', list(bridge()).replace('"1.0.0"', '"0.2.0"'), ['L009 cniVersion']],
    [
      'of debug',
      list(
        bridge(),
        '{ "type": "debug", "cniOutput": "here", "journal": { "maxSize": "big" }, "redact": ["("] }',
      ),
      ['L009 plugins[1].cniOutput', 'L009 plugins[1].journal.maxSize', 'L009 plugins[1].redact[0]'],
    ],
    [
      'of portmap',
      list(bridge(), portmap.replace('{', '{ "conditionsV4": ["-s", "10.0.0.0/8"],')),
      ['L009 plugins[1].conditionsV4'],
    ],
    [
      'of host-routes',
      list(bridge(), '{ "type": "host-routes", "routes": [{ "dst": "10.0.0.1/8", "gw": "10.0.0.2" }] }'),
      ['L009 plugins[1].routes[0].dst'],
    ],
    [
      'of ipvlan',
      list(`{ "type": "ipvlan", "mode": "l4", ${hostLocal('"subnet": "10.1.0.0/16"')} }`),
      ['L009 plugins[0].mode'],
    ],
    [
      'of vlan',
      list(`{ "type": "vlan", "vlanId": 4095, ${hostLocal('"subnet": "10.1.0.0/16"')} }`),
      ['L009 plugins[0].master', 'L009 plugins[0].vlanId'],
    ],
    [
      'of bandwidth',
      list(bridge(), '{ "type": "bandwidth", "ingressRate": 1000 }'),
      ['L009 plugins[1].ingressRate'],
    ],
    [
      'of firewall',
      list(bridge(), '{ "type": "firewall", "ingressPolicy": "closed" }'),
      ['L009 plugins[1].ingressPolicy'],
    ],
    [
      'of tuning',
      list(bridge(), '{ "type": "tuning", "sysctl": { "kernel.panic": "1" } }'),
      ['L009 plugins[1].sysctl.kernel.panic'],
    ],
    ['of vrf', list(bridge(), '{ "type": "vrf" }'), ['L009 plugins[1].vrfname']],
    ['of host-device', list('{ "type": "host-device" }'), ['L009 plugins[0].type']],
    [
      'of static',
      list('{ "type": "tap", "ipam": { "type": "static", "addresses": [{ "address": "10.1.2.3" }] } }'),
      ['L009 plugins[0].ipam.addresses[0].address'],
    ],
    [
      'a gateway of static',
      list(
        '{ "type": "tap", "ipam": { "type": "static", "addresses": [{ "address": "10.1.2.3/24", "gateway": "10.2.2.1" }] } }',
      ),
      ['L022 plugins[0].ipam.addresses[0].gateway'],
    ],
    [
      'a range the wrong way round',
      list(bridge(hostLocal('"subnet": "10.1.0.0/16", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.8"'))),
      ['L023 plugins[0].ipam.ranges[0][0].rangeEnd'],
    ],
    ['plugins that are none', list('5', 'null'), ['L009 plugins[0]', 'L009 plugins[1]']],
    [
      'ipam in a delegate of flannel',
      list('{ "type": "flannel", "delegate": { "ipam": { "type": "host-local" } } }'),
      ['L018 plugins[0].delegate.ipam'],
    ],
  ])('%s', async (_, text, ids) => {
    expect((await found(text)).sort()).toEqual(ids);
  });
});

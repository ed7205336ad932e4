import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CniError } from '../../src/cni/error.ts';
import { type Json, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { readResult, resultProblems, versionOfResult } from '../../src/cni/result.ts';
import { supportedVersions, type Version } from '../../src/cni/version.ts';

const json = (value: unknown): Json => parseJson(JSON.stringify(value));
const complaints = (value: unknown, version: Version = '1.0.0') =>
  resultProblems(json(value), version, 'prevResult').map(({ message }) => message);

describe('what is malformed', () => {
  const address = '10.1.0.3/24';
  const cases: [string, Version, unknown, string][] = [
    ['not an object', '1.0.0', [], 'prevResult: [] is not an object'],
    ['a text', '0.2.0', 'x', 'prevResult: "x" is not an object'],
    [
      'an address',
      '1.0.0',
      { ips: [{ address: '10.1.0.300/24' }] },
      'prevResult.ips[0].address: "10.1.0.300/24" is not a CIDR address',
    ],
    [
      'an address without a prefix',
      '0.3.1',
      { ips: [{ address: '10.1.0.3' }] },
      'prevResult.ips[0].address: "10.1.0.3" is not a CIDR address',
    ],
    [
      'an empty address',
      '1.1.0',
      { ips: [{ address: '' }] },
      'prevResult.ips[0].address: "" is not a CIDR address',
    ],
    ['no address', '1.1.0', { ips: [{ gateway: '10.1.0.1' }] }, 'prevResult.ips[0].address: is missing'],
    [
      'an address that is null',
      '1.1.0',
      { ips: [{ address: null }] },
      'prevResult.ips[0].address: is missing',
    ],
    [
      'an address that is a number',
      '1.0.0',
      { ips: [{ address: 10 }] },
      'prevResult.ips[0].address: 10 is not a string',
    ],
    [
      'a gateway',
      '0.4.0',
      { ips: [{ address, gateway: '10.1.0.1/24' }] },
      'prevResult.ips[0].gateway: "10.1.0.1/24" is not an IP address',
    ],
    ['ips', '1.0.0', { ips: { address } }, `prevResult.ips: {"address":"${address}"} is not an array`],
    ['one of ips', '1.0.0', { ips: [null] }, 'prevResult.ips[0]: is missing'],
    [
      'a version',
      '0.4.0',
      { ips: [{ version: 4, address }] },
      'prevResult.ips[0].version: 4 is not a string',
    ],
    [
      'a destination',
      '1.0.0',
      { routes: [{ dst: 'default' }] },
      'prevResult.routes[0].dst: "default" is not a CIDR address',
    ],
    [
      'a next hop',
      '0.3.0',
      { routes: [{ dst: '::/0', gw: 'fe80::1%eth0' }] },
      'prevResult.routes[0].gw: "fe80::1%eth0" is not an IP address',
    ],
    [
      'the MTU of a route',
      '0.4.0',
      { routes: [{ dst: '::/0', mtu: '1400' }] },
      'prevResult.routes[0].mtu: "1400" is not an integer',
    ],
    [
      'the table of a route',
      '1.1.0',
      { routes: [{ dst: '::/0', table: 1.5 }] },
      'prevResult.routes[0].table: 1.5 is not an integer',
    ],
    [
      'a MAC',
      '1.0.0',
      { interfaces: [{ name: 'eth0', mac: 'zz' }] },
      'prevResult.interfaces[0].mac: "zz" is not a MAC address',
    ],
    [
      'the MTU of an interface',
      '1.1.0',
      { interfaces: [{ mtu: true }] },
      'prevResult.interfaces[0].mtu: true is not an integer',
    ],
    [
      'a sandbox',
      '0.3.1',
      { interfaces: [{ sandbox: 3 }] },
      'prevResult.interfaces[0].sandbox: 3 is not a string',
    ],
    [
      'a name server',
      '1.0.0',
      { dns: { nameservers: '10.1.0.1' } },
      'prevResult.dns.nameservers: "10.1.0.1" is not an array',
    ],
    ['ip4', '0.2.0', { ip4: { ip: '10.1.0.3' } }, 'prevResult.ip4.ip: "10.1.0.3" is not a CIDR address'],
    ['no ip', '0.1.0', { ip6: {} }, 'prevResult.ip6.ip: is missing'],
    [
      'a route of ip4',
      '0.2.0',
      { ip4: { ip: address, routes: [{ dst: '0/0' }] } },
      'prevResult.ip4.routes[0].dst: "0/0" is not a CIDR address',
    ],
    [
      'another version',
      '1.0.0',
      { cniVersion: '0.4.0' },
      'prevResult.cniVersion: "0.4.0" is another version than "1.0.0", the configuration\'s',
    ],
    [
      'an unknown version',
      '1.0.0',
      { cniVersion: '2.0.0' },
      'prevResult.cniVersion: "2.0.0" is another version than "1.0.0", the configuration\'s',
    ],
    ['cniVersion', '1.0.0', { cniVersion: 1 }, 'prevResult.cniVersion: 1 is not a string'],
  ];
  test.each(cases)('%s (%s)', (_, version, value, complaint) => {
    expect(complaints(value, version)).toEqual([complaint]);
  });

  test.each([
    [[{ name: 'a' }, { name: 'b' }], 2, '2 is out of range: there are 2 interfaces'],
    [[{ name: 'a' }], -1, '-1 is out of range: there is 1 interface'],
    [undefined, 0, '0 is out of range: there are 0 interfaces'],
  ])('an index into nothing: %j, %d', (interfaces, index, complaint) => {
    const value = { interfaces, ips: [{ address }, { address, interface: index }] };
    for (const version of ['0.3.0', '0.4.0', '1.0.0', '1.1.0'] as const) {
      expect(complaints(value, version)).toEqual([`prevResult.ips[1].interface: ${complaint}`]);
    }
  });

  test('everything at once', () => {
    const value = {
      interfaces: [{ mac: 'x' }],
      IPs: [
        { Address: '10.1.0.300/24', interface: 7 },
        { address, gateway: 'nowhere' },
      ],
      routes: [{ dst: '0.0.0.0' }],
    };
    expect(complaints(value)).toEqual([
      'prevResult.interfaces[0].mac: "x" is not a MAC address',
      'prevResult.ips[0].address: "10.1.0.300/24" is not a CIDR address',
      'prevResult.ips[1].gateway: "nowhere" is not an IP address',
      'prevResult.routes[0].dst: "0.0.0.0" is not a CIDR address',
      'prevResult.ips[0].interface: 7 is out of range: there is 1 interface',
    ]);
  });

  test('of very many the first fifty are named', () => {
    const found = complaints({ dns: { search: Array(60).fill(1) } });
    expect(found).toHaveLength(51);
    expect(found.slice(-2)).toEqual(['prevResult.dns.search[49]: 1 is not a string', 'and 10 more']);
  });

  test('the path begins with nothing where the result is the document', () => {
    const [problem] = resultProblems(json({ ips: [{ address, interface: 1 }] }), '1.0.0', '');
    expect(problem?.path).toBe('ips[0].interface');
  });
});

describe('what is fine', () => {
  // Checked against the reference's portmap 1.9.1, which prints each of them.
  const cases: [string, unknown][] = [
    ['nothing at all', {}],
    ['an empty cniVersion', { cniVersion: '' }],
    ['null everywhere', { cniVersion: null, interfaces: null, ips: null, routes: null, dns: null }],
    [
      'an empty gateway',
      { ips: [{ address: '10.1.0.3/24', gateway: '' }], routes: [{ dst: '::/0', gw: '' }] },
    ],
    ['an empty MAC', { interfaces: [{ name: 'eth0', mac: '' }] }],
    ['the MAC of InfiniBand', { interfaces: [{ mac: Array(20).fill('a0').join(':') }] }],
    ['an interface without a name', { interfaces: [{}] }],
    ['a gateway outside the subnet', { ips: [{ address: '10.1.0.3/32', gateway: '169.254.1.1' }] }],
    ['an IPv4 address in IPv6 form', { ips: [{ address: '::ffff:10.1.0.3/120' }] }],
    ['a version that is wrong', { ips: [{ version: '9', address: '10.1.0.3/24' }] }],
    [
      'unknown keys',
      { x: 1, interfaces: [{ x: [] }], ips: [{ address: '::1/128', x: {} }], dns: { x: null } },
    ],
  ];
  for (const version of supportedVersions.slice(2)) {
    test.each(cases)(`%s (${version})`, (_, value) => expect(complaints(value, version)).toEqual([]));
  }

  test('ips in a result of 0.2.0 is an unknown key', () =>
    expect(complaints({ ips: 'x' }, '0.2.0')).toEqual([]));

  test('mtu of an interface is an unknown key up to 0.4.0', () => {
    expect(complaints({ interfaces: [{ mtu: 'x' }] }, '0.4.0')).toEqual([]);
    expect(complaints({ interfaces: [{ mtu: 'x' }] }, '1.0.0')).toHaveLength(1);
  });
});

describe('readResult', () => {
  const reading = (text: string, version: Version) =>
    stringifyJson(readResult(parseJson(text), version, 'prevResult'));

  test('spells the known keys as the specification does and leaves the others', () => {
    const text = '{"IPs":[{"ADDRESS":"10.1.0.3/24","Foo":1}],"Bar":null,"__proto__":{"a":1},"DNS":null}';
    expect(reading(text, '1.0.0')).toBe(
      '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.3/24","Foo":1}],"Bar":null,"__proto__":{"a":1}}',
    );
  });

  test('keeps the version that the result names, if its shape is the same', () => {
    expect(reading('{"cniVersion":"0.3.1","ips":[]}', '0.4.0')).toBe('{"cniVersion":"0.3.1","ips":[]}');
    expect(reading('{"cniVersion":"","ips":[]}', '0.4.0')).toBe('{"cniVersion":"0.4.0","ips":[]}');
  });

  test('keeps the digits of a number', () => {
    const text = '{"cniVersion":"1.1.0","routes":[{"dst":"::/0","priority":9007199254740993,"x":1.0}]}';
    expect(reading(text, '1.1.0')).toBe(text);
  });

  test('takes 1.0 as an index, as skel does', () => {
    const text = '{"interfaces":[{},{}],"ips":[{"address":"::1/128","interface":1.0}]}';
    expect(reading(text, '1.0.0')).toContain('"interface":1}');
  });

  test('throws code 7 with everything that is wrong', () => {
    const document = json({ ips: [{ address: 'x', gateway: 'y' }, { address: 'z' }] });
    const error = thrown(() => readResult(document, '1.0.0', 'prevResult'));
    expect(error?.code).toBe(7);
    expect(error?.message).toBe(
      'prevResult.ips[0].address: "x" is not a CIDR address; prevResult.ips[0].gateway: "y" is not an IP address; ' +
        'prevResult.ips[1].address: "z" is not a CIDR address',
    );
  });

  test('reads any JSON or throws code 7', () => {
    const key = fc.constantFrom(
      'cniVersion',
      'interfaces',
      'ips',
      'ip4',
      'routes',
      'dns',
      'DNS',
      '__proto__',
    );
    const anything = fc.oneof(fc.jsonValue(), fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })));
    fc.assert(
      fc.property(anything, fc.constantFrom(...supportedVersions), (value, version) => {
        const error = thrown(() => readResult(json(value), version, 'prevResult'));
        expect([undefined, 7]).toContain(error?.code);
      }),
    );
  });
});

/** The CniError that is thrown, if one is; what is thrown else goes on. */
function thrown(read: () => unknown): CniError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
}

test('versionOfResult', () => {
  expect(versionOfResult(json({ CNIVERSION: '0.4.0' }), '1.0.0')).toBe('0.4.0');
  expect(versionOfResult(json({ cniVersion: '' }), '1.0.0')).toBe('1.0.0');
  expect(versionOfResult(json({ cniVersion: '7' }), '1.0.0')).toBe('1.0.0');
  expect(versionOfResult(null, '0.2.0')).toBe('0.2.0');
});

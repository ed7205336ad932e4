import { formatCidr, networkOf, parseCidr, parseMac } from '../cni/address.ts';
import type { ConfigurationValue } from '../cni/configuration-value.ts';
import { between } from '../cni/interface-value.ts';
import { integerOf, type JsonObject } from '../cni/json.ts';
import { KeyReader } from '../cni/key-reader.ts';
import type { ReadersByType } from './context.ts';

/** For types that only the reference has: what its code refuses (containernetworking/plugins v1.9). */
export const referenceReaders: ReadersByType = {
  bandwidth: reader((keys) => {
    for (const direction of ['ingress', 'egress']) {
      const [rate, burst] = ['Rate', 'Burst'].map((name) =>
        keys.read(`${direction}${name}`, (value) => integerOf(value.integer()), 0),
      );
      const [lacking, given] = burst === 0 ? ['Burst', 'Rate'] : ['Rate', 'Burst'];
      keys.refuse(
        (rate === 0) !== (burst === 0),
        `${direction}${given}`,
        `${direction}${given}: needs ${direction}${lacking} beside it`,
      );
    }
    const shaped = keys.read('shapedSubnets', subnets, []);
    const unshaped = keys.read('unshapedSubnets', subnets, []);
    keys.refuse(
      shaped.length > 0 && unshaped.length > 0,
      'unshapedSubnets',
      'unshapedSubnets: cannot stand beside "shapedSubnets"',
    );
  }),
  firewall: reader((keys) => {
    keys.read('ingressPolicy', (value) => value.oneOf('', 'open', 'same-bridge', 'isolated'), '');
  }),
  'host-device': reader((keys) => {
    const names = ['device', 'hwaddr', 'kernelpath', 'pciBusID'];
    const given = names.filter((name) => keys.read(name, (value) => value.text(), '') !== '');
    const isByRuntime = keys.read('capabilities', (value) => value.key('deviceID').flag(), false);
    keys.refuse(
      given.length === 0 && !isByRuntime,
      'type',
      'device: is missing, and so are "hwaddr", "kernelpath" and "pciBusID": one of them says which device',
    );
    keys.read('hwaddr', mac, undefined);
  }),
  ipvlan: reader((keys) => {
    keys.read('mode', (value) => value.oneOf('', 'l2', 'l3', 'l3s'), '');
  }),
  static: reader((keys) => {
    keys.read('ipam', (ipam) => ipam.key('addresses').elements().map(staticAddress), []);
  }),
  tuning: reader((keys) => {
    keys.read('mac', mac, undefined);
    keys.read('sysctl', sysctls, undefined);
  }),
  vlan: reader((keys) => {
    required(keys, 'master', 'the link that the VLAN is on');
    keys.read('vlanId', (value) => between(value, 0, 4094), 0);
    keys.read('mtu', (value) => between(value, 0, 2 ** 31 - 1), 0);
  }),
  vrf: reader((keys) => {
    required(keys, 'vrfname', 'the VRF that the interface goes into');
  }),
};

function reader(read: (keys: KeyReader) => void): ReadersByType[string] {
  return (document: JsonObject) => {
    const keys = new KeyReader(document);
    read(keys);
    return keys.problems;
  };
}

function required(keys: KeyReader, name: string, what: string): void {
  const isMissing = keys.read(name, (value) => value.text() || undefined, undefined) === undefined;
  const isWrong = keys.problems.some(({ path }) => path === name);
  keys.refuse(isMissing && !isWrong, name, `${name}: is missing: ${what}`);
}

function mac(value: ConfigurationValue): string | undefined {
  return value.text() === '' ? undefined : value.textAs(parseMac, 'is not a MAC address');
}

function subnets(list: ConfigurationValue): string[] {
  return list.elements().flatMap((item) => {
    const cidr = item.cidr();
    return cidr === undefined ? [] : [formatCidr(networkOf(cidr))];
  });
}

function staticAddress(entry: ConfigurationValue): string {
  const address = entry.key('address');
  const cidr = address.textAs(
    parseCidr,
    'is not a CIDR address: the prefix length belongs to it, as in 10.1.2.3/24',
  );
  if (cidr === undefined) throw address.error('');
  entry.key('gateway').ip();
  return formatCidr(cidr);
}

/** Dots are turned into slashes before it is looked at. */
function sysctls(map: ConfigurationValue): undefined {
  for (const name of Object.keys(map.object() ?? {})) {
    if (!/^\/*net[./]/.test(name))
      throw map.key(name).error('is not below net: only sysctls of the network can be set');
  }
}

import { type Cidr, contains, formatCidr } from '../../src/cni/address.ts';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { type JsonObject, newObject } from '../../src/cni/json.ts';
import type { KeyReader } from '../../src/cni/key-reader.ts';
import { withKey } from '../../src/cni/keys.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import { readRange } from '../../src/ipam/range.ts';

/** `subnet` and `network` at the top level: each node has a subnet of its own in a network of all nodes. */
export interface NodeSubnet {
  /** Undefined when there is something wrong with it. */
  readonly subnet: Cidr | undefined;
  /** What all nodes' subnets are in. */
  readonly network: Cidr | undefined;
}

/** Undefined where `ipam` says where addresses come from, or nothing does. */
export function readNodeSubnet(keys: KeyReader): NodeSubnet | undefined {
  if (!keys.read('subnet', (value) => !value.isAbsent, false)) return undefined;
  // Of an `ipam` that cannot be read nothing is known.
  if (keys.read('ipam', (ipam) => ipam.key('type').text() ?? '', undefined) !== '') return undefined;
  return {
    // In host-local's words, but of the key that is there.
    subnet: keys.read(
      'subnet',
      (value) =>
        readRange(new ConfigurationValue('', newObject([['subnet', value.value ?? null]])), 0).subnet,
      undefined,
    ),
    network: keys.read('network', (value) => value.cidr(), undefined),
  };
}

/** What cannot be meant. */
export function refuseNodeSubnet(keys: KeyReader, node: NodeSubnet | undefined): void {
  const others = ['subnet', 'ranges'].filter(
    (name) => node !== undefined && keys.read('ipam', (ipam) => !ipam.key(name).isAbsent, false),
  );
  keys.refuse(
    others.length > 0,
    'subnet',
    `subnet: stands beside "ipam" with "${others[0]}", and each of them says where addresses come from: remove one of the two`,
  );
  const { subnet, network } = node ?? {};
  if (subnet === undefined || network === undefined) return;
  keys.refuse(
    !contains(network, subnet.ip) || network.prefixLength > subnet.prefixLength,
    'network',
    `network: ${formatCidr(network)} does not contain the subnet ${formatCidr(subnet)}`,
  );
}

/** What host-local is given: `subnet`, and what `ipam` may say besides, as where the leases are. */
export function withIpamOf(invocation: Invocation): Invocation {
  const { configuration } = invocation;
  const root = new ConfigurationValue('', configuration.document);
  const ipam: JsonObject = withKey(root.key('ipam').object() ?? newObject(), 'type', 'host-local');
  const document = withKey(
    configuration.document,
    'ipam',
    withKey(ipam, 'subnet', root.key('subnet').value ?? null),
  );
  return { ...invocation, document, configuration: { ...configuration, document } };
}

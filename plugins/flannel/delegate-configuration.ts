import { formatCidr, networkOf, parseCidr } from '../../src/cni/address.ts';
import type { Configuration } from '../../src/cni/configuration.ts';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { type Json, type JsonObject, newObject } from '../../src/cni/json.ts';
import { lookUp, withKey } from '../../src/cni/keys.ts';
import { addressesIn } from '../../src/ipam/prev-result-addresses.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';
import type { Settings } from './configuration.ts';
import type { SubnetFile } from './subnet-file.ts';

/** What the delegate gets on stdin: its own keys, what the runtime said, and of the rest what flanneld says. */
export function configurationFor(
  configuration: Configuration,
  settings: Settings,
  subnet: SubnetFile,
): JsonObject {
  const defaults: [string, Json][] = [
    ['ipMasq', !subnet.ipMasq],
    ['mtu', subnet.mtu],
  ];
  return assemble(configuration, settings, defaults, subnet);
}

/**
 * The same as far as it is known without a subnet file, for what removes things: nodes that masquerade may have done so,
 * and the addresses of prevResult are of the subnet.
 */
export function configurationWithout(configuration: Configuration, settings: Settings): JsonObject {
  const subnets = addressesIn(configuration.prevResult).flatMap((text) => {
    const address = parseCidr(text);
    return address === undefined ? [] : [networkOf(address)];
  });
  return assemble(configuration, settings, [['ipMasq', true]], { subnets, networks: [] });
}

/** The subnets that a delegate's addresses are taken from. Throws code 7 where they are not written as ours are. */
export function subnetsIn(configuration: JsonObject): string[] {
  const ranges = new ConfigurationValue('', configuration).key('ipam').key('ranges');
  return ranges
    .elements()
    .flatMap((set) => set.elements())
    .flatMap((range) => range.key('subnet').text() ?? []);
}

function assemble(
  configuration: Configuration,
  settings: Settings,
  defaults: readonly [string, Json][],
  subnet: Pick<SubnetFile, 'subnets' | 'networks'>,
): JsonObject {
  const { type } = settings;
  let own = withKey(settings.delegate, 'type', type);
  const isGateway: [string, Json][] = type === 'bridge' ? [['isGateway', true]] : [];
  for (const [key, value] of [...defaults, ...isGateway]) {
    if (lookUp(own, key) === undefined) own = withKey(own, key, value);
  }
  own = withKey(own, 'ipam', ipamFor(settings.ipam, subnet));
  return delegateConfiguration(configuration, own);
}

/** One range set for each family; a route to the whole network, unless there is one already. */
function ipamFor(
  base: JsonObject,
  { subnets, networks }: Pick<SubnetFile, 'subnets' | 'networks'>,
): JsonObject {
  const type = lookUp(base, 'type') ?? 'host-local';
  const ranges = subnets.map((subnet) => [newObject([['subnet', formatCidr(subnet)]])]);
  const routes = new ConfigurationValue('ipam', base).key('routes').elements();
  const listed = routes.map((route) => route.key('dst').value);
  const added = networks.map(formatCidr).filter((dst) => !listed.includes(dst));
  const all = [...routes.map(({ value }) => value as Json), ...added.map((dst) => newObject([['dst', dst]]))];
  return withKey(withKey(withKey(base, 'type', type), 'ranges', ranges), 'routes', all);
}

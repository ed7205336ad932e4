import type { Cidr } from '../cni/address.ts';
import { integerOf } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { keyPath } from '../cni/problem.ts';
import { firstAddress } from '../network/gateway.ts';
import { isBridge, type LintedPlugin } from './linted-plugin.ts';
import { isNodeSubnet, subnetUses } from './subnet-use.ts';

/** An address that a plugin gives to its bridge, or to the bridge's interface in a VLAN. */
export interface BridgeAddress {
  readonly plugin: LintedPlugin;
  /** Of what says it, in the file. */
  readonly path: string;
  readonly link: string;
  readonly address: Cidr;
}

/** The name of the bridge, and that of the gateway's interface where there is a VLAN. */
export function bridgeLinks({ value }: LintedPlugin): string[] {
  const named = lookUp(value, 'bridge');
  const bridge = typeof named === 'string' && named !== '' ? named : 'cni0';
  const vlan = integerOf(lookUp(value, 'vlan')) ?? 0;
  return vlan > 0 ? [bridge, `${bridge}.${vlan}`] : [bridge];
}

/** None of a bridge that is no gateway. */
export function bridgeAddresses(plugin: LintedPlugin): BridgeAddress[] {
  if (!isBridge(plugin)) return [];
  const { value } = plugin;
  const flags = ['isGateway', 'isDefaultGateway'].map((name) => lookUp(value, name) ?? isNodeSubnet(plugin));
  if (!flags.includes(true)) return [];
  const link = bridgeLinks(plugin).at(-1) ?? '';
  return subnetUses(plugin).map(({ path, subnet, gateway }) => ({
    plugin,
    path: keyPath(path, gateway === undefined ? 'subnet' : 'gateway'),
    link,
    address: { ip: gateway ?? firstAddress(subnet), prefixLength: subnet.prefixLength },
  }));
}

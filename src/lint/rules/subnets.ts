import { formatCidr } from '../../cni/address.ts';
import { integerOf } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { keyPath } from '../../cni/problem.ts';
import { overlapping } from '../../ipam/range.ts';
import { bridgeLinks } from '../bridge-address.ts';
import type { HostPlace } from '../host-network.ts';
import { isBridge, type LintedPlugin } from '../linted-plugin.ts';
import type { Rule } from '../rule.ts';
import { overlap, type SubnetUse, subnetUses } from '../subnet-use.ts';

export const subnetsOverlap: Rule = {
  id: 'L020',
  name: 'subnets-overlap',
  severity: 'error',
  summary:
    'Two networks give out addresses of one subnet: pods of both get the same ones, or routes that exclude each other.',
  *check({ plugins }) {
    const before: SubnetUse[] = [];
    for (const use of plugins.flatMap(subnetUses)) {
      const other = before.find((earlier) => isAnotherNetwork(earlier, use) && clash(earlier, use));
      before.push(use);
      if (other === undefined) continue;
      yield {
        file: use.plugin.file,
        path: keyPath(use.path, 'subnet'),
        message: `${formatCidr(use.subnet)} overlaps with ${formatCidr(other.subnet)} of network ${networkName(other)} in ${other.plugin.file.path}`,
        fix: isOneWire(use, other)
          ? 'give each of the two networks a part of it, with "rangeStart" and "rangeEnd"'
          : 'give one of the two networks another subnet, or remove its file',
      };
    }
  },
};

export const subnetOverlapsHost: Rule = {
  id: 'L021',
  name: 'subnet-overlaps-host',
  severity: 'error',
  summary:
    'The node itself has an address or a route in the subnet of a network: it can reach only one of the two.',
  *check({ plugins, machine }) {
    for (const use of plugins.flatMap(subnetUses)) {
      const place = machine?.host?.places.find(
        (place) => overlap(place.cidr, use.subnet) && !isOwn(use.plugin, place),
      );
      if (place === undefined) continue;
      yield {
        file: use.plugin.file,
        path: keyPath(use.path, 'subnet'),
        message: `${formatCidr(use.subnet)} overlaps with ${place.text}, which this node has`,
        fix: 'take a subnet that the node does not reach by another way; if it is a leftover of an older network, remove that',
      };
    }
  },
};

function isAnotherNetwork(one: SubnetUse, other: SubnetUse): boolean {
  // Two of one name are another finding.
  return one.plugin.file !== other.plugin.file && networkName(one) !== networkName(other);
}

function networkName({ plugin: { file } }: SubnetUse): string {
  const name = file.document === undefined ? undefined : lookUp(file.document.value, 'name');
  return JSON.stringify(typeof name === 'string' ? name : '');
}

/** On one wire two networks may share a subnet, if they share it out. */
function clash(one: SubnetUse, other: SubnetUse): boolean {
  if (!overlap(one.subnet, other.subnet)) return false;
  if (!isOneWire(one, other) || one.range === undefined || other.range === undefined) return true;
  return overlapping([one.range], [other.range]);
}

function isOneWire(one: SubnetUse, other: SubnetUse): boolean {
  const wire = wireOf(one.plugin);
  return wire !== undefined && wire === wireOf(other.plugin);
}

/** The bridge or the link of the node that the interface is on; undefined when it has none in common with others. */
function wireOf(plugin: LintedPlugin): string | undefined {
  const { type, value } = plugin;
  const vlan = integerOf(lookUp(value, 'vlan') ?? lookUp(value, 'vlanId')) ?? 0;
  if (isBridge(plugin)) return `bridge ${bridgeLinks(plugin)[0]} ${vlan}`;
  const isOnMaster = ['macvlan', 'ipvlan', 'vlan'].includes(type);
  return isOnMaster ? `link ${String(lookUp(value, 'master') ?? '')} ${vlan}` : undefined;
}

/**
 * What the network itself has made on the node. Who puts pods on a link of the node (macvlan) gives them addresses of
 * that link's own network.
 */
function isOwn(plugin: LintedPlugin, { link, kind }: HostPlace): boolean {
  if (isBridge(plugin)) return bridgeLinks(plugin).includes(link);
  return plugin.type === 'ptp' ? kind === 'veth' : true;
}

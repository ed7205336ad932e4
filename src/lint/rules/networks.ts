import { formatCidr } from '../../cni/address.ts';
import { lookUp } from '../../cni/keys.ts';
import { type BridgeAddress, bridgeAddresses } from '../bridge-address.ts';
import type { LintedFile } from '../linted-file.ts';
import { nameOf, pathIn } from '../linted-plugin.ts';
import { needsPrevResult } from '../plugin-nature.ts';
import type { Rule } from '../rule.ts';
import { overlap } from '../subnet-use.ts';

export const bridgeAddressConflict: Rule = {
  id: 'L024',
  name: 'bridge-address-conflict',
  severity: 'error',
  summary:
    'One bridge is to have two addresses that exclude each other: the second network cannot start a pod.',
  *check({ plugins }) {
    const before: BridgeAddress[] = [];
    for (const own of plugins.flatMap(bridgeAddresses)) {
      const other = before.find((earlier) => exclude(earlier, own));
      before.push(own);
      if (other === undefined) continue;
      const where =
        other.plugin.file === own.plugin.file ? 'from this file' : `from ${other.plugin.file.path}`;
      yield {
        file: own.plugin.file,
        path: own.path,
        message: `"${own.link}" is to have ${formatCidr(own.address)} here, and has ${formatCidr(other.address)} ${where}`,
        fix: 'name another "bridge" for one of them, or let both have one subnet and one gateway',
      };
    }
  },
};

export const sameNetworkName: Rule = {
  id: 'L025',
  name: 'same-network-name',
  severity: 'error',
  summary: 'Two networks of one name have one set of leases and cached results.',
  *check({ files }) {
    const before = new Map<string, LintedFile>();
    for (const file of files) {
      const name = file.document === undefined ? undefined : lookUp(file.document.value, 'name');
      if (typeof name !== 'string' || name === '') continue;
      const other = before.get(name);
      if (other === undefined) before.set(name, file);
      else
        yield {
          file,
          path: 'name',
          message: `the network in ${other.path} is called "${name}", too: they share leases and cached results`,
          fix: 'give one of the two another name, or remove its file',
        };
    }
  },
};

export const chainedPluginFirst: Rule = {
  id: 'L031',
  name: 'chained-plugin-first',
  severity: 'error',
  summary: 'The first plugin of a chain works on the interface of one before it, and there is none.',
  *check({ plugins }) {
    for (const plugin of plugins)
      if (plugin.isFirst && needsPrevResult(plugin))
        yield {
          file: plugin.file,
          path: pathIn(plugin, 'type'),
          message: `${nameOf(plugin)} stands first, and works on what a plugin before it has made`,
          fix: 'put it behind the plugin that makes the interface, such as "bridge"',
        };
  },
};

/** Of IPv4 a bridge has one address only; of IPv6 several, if they do not overlap. */
function exclude(one: BridgeAddress, other: BridgeAddress): boolean {
  const [ip, otherIp] = [one.address.ip, other.address.ip];
  if (one.link !== other.link || ip.length !== otherIp.length) return false;
  if (formatCidr(one.address) === formatCidr(other.address)) return false;
  return ip.length === 4 || overlap(one.address, other.address);
}

import { contains, formatCidr, formatIp, networkOf, parseCidr, parseIp } from '../../cni/address.ts';
import { isObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { keyPath } from '../../cni/problem.ts';
import { compareIps } from '../../ipam/ip-order.ts';
import type { Draft } from '../finding.ts';
import { ipamTypeOf, type LintedPlugin, pathIn } from '../linted-plugin.ts';
import type { Rule } from '../rule.ts';
import { subnetUses } from '../subnet-use.ts';

export const gatewayOutsideSubnet: Rule = {
  id: 'L022',
  name: 'gateway-outside-subnet',
  severity: 'error',
  summary:
    'A gateway that is not in the subnet of the addresses it is for: the route over it cannot be made.',
  *check({ plugins }) {
    for (const { plugin, path, subnet, gateway } of plugins.flatMap(subnetUses)) {
      if (gateway === undefined || contains(subnet, gateway)) continue;
      yield {
        file: plugin.file,
        path: keyPath(path, 'gateway'),
        message: `the gateway ${formatIp(gateway)} is not in ${formatCidr(subnet)}: pods cannot reach it`,
        fix: `take an address of ${formatCidr(subnet)}, or remove "gateway" for the first one`,
      };
    }
    for (const plugin of plugins) yield* staticGateways(plugin);
  },
};

export const rangeOutsideSubnet: Rule = {
  id: 'L023',
  name: 'range-outside-subnet',
  severity: 'error',
  summary: 'A range that is not in its subnet, or that ends before it begins.',
  *check({ plugins }) {
    for (const { plugin, path, subnet, start, end } of plugins.flatMap(subnetUses)) {
      const { file } = plugin;
      const text = formatCidr(subnet);
      const fix = `take an address of ${text}, or remove the key for all of the subnet`;
      for (const [key, ip] of [
        ['rangeStart', start],
        ['rangeEnd', end],
      ] as const) {
        const at = keyPath(path, key);
        if (ip !== undefined && !contains(subnet, ip))
          yield { file, path: at, fix, message: `${key} ${formatIp(ip)} is not in ${text}`, covers: [at] };
      }
      const areInside = start && end && contains(subnet, start) && contains(subnet, end);
      if (areInside && compareIps(end, start) < 0)
        yield {
          file,
          path: keyPath(path, 'rangeEnd'),
          message: `the range ends at ${formatIp(end)} before it begins at ${formatIp(start)}`,
          fix: 'swap "rangeStart" and "rangeEnd"',
          covers: [keyPath(path, 'rangeStart')],
        };
    }
  },
};

/** `static` says of each address which gateway it has. */
function* staticGateways(plugin: LintedPlugin): Generator<Draft> {
  const ipam = lookUp(plugin.value, 'ipam');
  const addresses = isObject(ipam) ? lookUp(ipam, 'addresses') : undefined;
  if (ipamTypeOf(plugin.value) !== 'static' || !Array.isArray(addresses)) return;
  for (const [index, entry] of addresses.entries()) {
    if (!isObject(entry)) continue;
    const cidr = parseCidr(String(lookUp(entry, 'address')));
    const gateway = parseIp(String(lookUp(entry, 'gateway')));
    if (cidr === undefined || gateway === undefined || contains(cidr, gateway)) continue;
    const network = formatCidr(networkOf(cidr));
    yield {
      file: plugin.file,
      path: pathIn(plugin, `ipam.addresses[${index}].gateway`),
      message: `the gateway ${formatIp(gateway)} is not in ${network}: pods cannot reach it`,
      fix: `take an address of ${network}, or write the address with another prefix length`,
    };
  }
}

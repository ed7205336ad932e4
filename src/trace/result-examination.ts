import { type Cidr, contains, family, parseCidr, parseIp } from '../cni/address.ts';
import type { Result } from '../cni/result.ts';
import type { Finding } from './trace.ts';

/** What is suspicious in a valid result by itself, and never an error. `at` is its path, such as `prevResult`. */
export function examineResult(result: Result, at: string): Finding[] {
  return [
    ...duplicateAddresses(result, at),
    ...gatewaysOutside(result, at),
    ...routesWithoutAddress(result, at),
  ];
}

function duplicateAddresses({ ips = [] }: Result, at: string): Finding[] {
  const holders = new Map<string, string>();
  return ips.flatMap(({ address }, index) => {
    const path = `${at}.ips[${index}]`;
    const ip = parseCidr(address)?.ip.join('.') ?? address;
    const holder = holders.get(ip);
    holders.set(ip, holder ?? path);
    if (holder === undefined) return [];
    const message = `${path}.address: ${address} is also the address of ${holder}`;
    return [{ rule: 'duplicate-address', object: path, message }];
  });
}

function gatewaysOutside({ ips = [] }: Result, at: string): Finding[] {
  return ips.flatMap(({ address, gateway = '' }, index) => {
    const subnet = parseCidr(address);
    const ip = parseIp(gateway);
    if (subnet === undefined || ip === undefined || isHost(subnet) || contains(subnet, ip)) return [];
    const object = `${at}.ips[${index}].gateway`;
    const message = `${object}: ${gateway} is outside the subnet of ${address}`;
    return [{ rule: 'gateway-outside-subnet', object, message }];
  });
}

/** With /32 and /128 every gateway is outside, and that is how such networks are meant. */
function isHost({ ip, prefixLength }: Cidr): boolean {
  return prefixLength === ip.length * 8;
}

function routesWithoutAddress({ ips = [], routes = [] }: Result, at: string): Finding[] {
  const families = new Set(ips.map(({ address }) => familyOf(address)));
  return routes.flatMap(({ dst }, index) => {
    if (families.has(familyOf(dst))) return [];
    const object = `${at}.routes[${index}]`;
    const message = `${object}.dst: ${dst} is of IPv${familyOf(dst)}, and no address of the result is`;
    return [{ rule: 'route-without-address', object, message }];
  });
}

function familyOf(cidr: string): number | undefined {
  const parsed = parseCidr(cidr);
  return parsed && family(parsed.ip);
}

import {
  type Cidr,
  family,
  formatCidr,
  formatIp,
  type Ip,
  networkOf,
  parseCidr,
  parseIp,
} from '../cni/address.ts';
import { type JsonObject, newObject } from '../cni/json.ts';
import type { Result } from '../cni/result.ts';

/** An address of the container, and whom it asks for the way out. */
export interface Endpoint {
  readonly address: Cidr;
  readonly gateway: Ip | undefined;
}

/** The addresses of a result. */
export function endpointsOf({ ips = [] }: Result): Endpoint[] {
  return ips.flatMap(({ address, gateway }) => {
    const cidr = parseCidr(address);
    return cidr === undefined ? [] : [{ address: cidr, gateway: gateway ? parseIp(gateway) : undefined }];
  });
}

/** The same result with each address's gateway said: the network's first address, where IPAM named none. */
export function withGateways(result: Result): Result {
  const ips = (result.ips ?? []).map((entry) => {
    const address = parseCidr(entry.address);
    if (entry.gateway || address === undefined) return entry;
    return newObject([...Object.entries(entry), ['gateway', formatIp(firstAddress(address))]]);
  });
  return newObject([...Object.entries(result), ['ips', ips]]) as Result;
}

/** The same result with a default route for each family that has an address and no default route. */
export function withDefaultRoutes(result: Result): Result {
  const routes: JsonObject[] = [...(result.routes ?? [])];
  for (const { address, gateway } of endpointsOf(result)) {
    const dst = DEFAULT[family(address.ip)];
    if (routes.some((route) => formatCidr(parseCidr(String(route.dst)) ?? address) === dst)) continue;
    routes.push(
      newObject([['dst', dst], ...(gateway === undefined ? [] : [['gw', formatIp(gateway)] as const])]),
    );
  }
  return newObject([...Object.entries(result), ['routes', routes]]) as Result;
}

/** `10.22.0.1` for `10.22.0.5/16`. */
export function firstAddress(cidr: Cidr): Ip {
  const first = Uint8Array.from(networkOf(cidr).ip);
  for (let index = first.length - 1; index >= 0; index--) {
    first[index] = ((first[index] ?? 0) + 1) & 0xff;
    if (first[index] !== 0) break;
  }
  return first;
}

const DEFAULT = { 4: '0.0.0.0/0', 6: '::/0' };

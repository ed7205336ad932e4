import { type Cidr, family, parseCidr, parseIp } from '../cni/address.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { integerOf, type Json, stringifyJson } from '../cni/json.ts';
import type { Result } from '../cni/result.ts';
import type { InterfaceRoute } from './container-interface.ts';
import { endpointsOf } from './gateway.ts';

/** The addresses of a result, as an interface gets them. */
export function addressesOf(result: Result | undefined): Cidr[] {
  return (result?.ips ?? []).flatMap(({ address }) => parseCidr(address) ?? []);
}

/** The routes of a result; one without a gateway goes by the first one of its family. Throws CniError. */
export function routesOf(result: Result): InterfaceRoute[] {
  const gateways = endpointsOf(result).flatMap(({ gateway }) => gateway ?? []);
  return (result.routes ?? []).flatMap((route, index) => {
    const cidr = parseCidr(route.dst);
    if (cidr === undefined) return [];
    const isSameFamily = (ip: Uint8Array) => family(ip) === family(cidr.ip);
    const gateway = route.gw ? parseIp(route.gw) : gateways.find(isSameFamily);
    const number = (name: 'mtu' | 'advmss' | 'priority' | 'table' | 'scope') =>
      routeNumber(`routes[${index}].${name}`, route[name], name === 'scope' ? 0xff : 0xffff_ffff);
    const [mtu, advmss, priority] = [number('mtu'), number('advmss'), number('priority')];
    return [{ dst: cidr, gateway, mtu, advmss, priority, table: number('table'), scope: number('scope') }];
  });
}

function routeNumber(path: string, value: Json | undefined, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = integerOf(value);
  if (number !== undefined && number >= 0 && number <= most) return number;
  const message = `IPAM gave ${path}: ${stringifyJson(value)}, which is not between 0 and ${most}`;
  throw new CniError(ErrorCode.internal, message);
}

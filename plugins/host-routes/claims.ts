import { type Cidr, formatCidr, parseCidr } from '../../src/cni/address.ts';
import { ConfigurationValue } from '../../src/cni/configuration-value.ts';
import { isObject, type JsonObject, newObject } from '../../src/cni/json.ts';
import { type HostRoute, hostRouteJson, readHostRoutes } from '../../src/network/host-route.ts';
import type { Others, Rival } from '../../src/network/host-route-plan.ts';
import type { StateFolder } from '../../src/network/state-folder.ts';

/** What a network has of the node's routes: a route itself does not say whose it is. */
export interface Claim {
  /** The last list that was good. */
  readonly routes: readonly HostRoute[];
  /** Destinations that a call is at work on which is not in `routes`: what it made is left to the next if it is killed. */
  readonly left: readonly Cidr[];
}

/** Undefined for a network that has never had any. Throws SystemError. */
export function readClaim(folder: StateFolder, network: string): Claim | undefined {
  const document = folder.read(network);
  if (!isObject(document)) return undefined;
  const { routes } = readHostRoutes(
    new ConfigurationValue(`${folder.path}/${network}.json`, document.routes),
  );
  const left = Array.isArray(document.left) ? document.left : [];
  return {
    routes,
    left: left.flatMap((dst) => (typeof dst === 'string' ? (parseCidr(dst) ?? []) : [])),
  };
}

/** For whoever holds the folder's lock. Throws SystemError. */
export function writeClaim(folder: StateFolder, network: string, claim: Claim): void {
  folder.write(network, asJson(claim));
}

/** Whether the network has just these routes; none is as good as never any. Throws SystemError. */
export function hasClaim(folder: StateFolder, network: string, routes: readonly HostRoute[]): boolean {
  if (routes.length === 0 && folder.holds(network, undefined)) return true;
  return folder.holds(network, asJson({ routes, left: [] }));
}

/** What the other networks of the node want. Throws SystemError. */
export function claimsOfOthers(folder: StateFolder, network: string): Others {
  const wanted = new Map<string, Rival>();
  for (const other of folder.names()) {
    if (other === network) continue;
    for (const route of readClaim(folder, other)?.routes ?? [])
      wanted.set(formatCidr(route.dst), { network: other, route, file: `${folder.path}/${other}.json` });
  }
  return (dst) => wanted.get(formatCidr(dst));
}

function asJson({ routes, left }: Claim): JsonObject {
  const claim = newObject([['routes', routes.map(hostRouteJson)]]);
  if (left.length > 0) claim.left = left.map(formatCidr);
  return claim;
}

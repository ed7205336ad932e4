import { family, parseCidr } from './address.ts';
import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, type JsonObject, newObject } from './json.ts';
import { withoutKeys, withSpelling } from './keys.ts';
import type { Result } from './result.ts';
import { type Generation, generationOf, generations, latestVersion, type Version } from './version.ts';

/**
 * A result of one version in another, as the reference's `pkg/types` converts it, ready to be printed. The document is
 * valid for `from` (see `readResult`) and is not changed. Unknown keys go along wherever there is room for them; one
 * that only `to` knows is dropped, because there it would say something that nobody said.
 * Throws a CniError when `to` is 0.2.0 or older and there is no IP address.
 */
export function convertResult(document: JsonObject, from: Version, to: Version): JsonObject {
  const source = generations.indexOf(generationOf(from));
  const target = generations.indexOf(generationOf(to));
  const steps = [...up.slice(source, target), ...down.slice(target, source).reverse()];
  const converted = steps.reduce((result, step) => step(result), document);
  return finishResult(converted, to);
}

/** The result in the version that our own code works on. */
export function latestResult(document: JsonObject, from: Version): Result {
  return convertResult(document, from, latestVersion) as Result;
}

/**
 * A result of `version` as it is printed: `cniVersion` first, then what the specification knows in its order, then the
 * rest. Every one of `ips` has a `version` from 0.3.0 to 0.4.0. `dns` is there up to 0.4.0 even when it says nothing,
 * and since 1.0.0 only when it says something, as Go's types marshal it.
 */
export function finishResult(result: JsonObject, version: Version): JsonObject {
  const generation = generationOf(version);
  const known = knownKeys[generation];
  // A result that nobody was asked to validate has the spelling it came with.
  const document = withSpelling(result, known);
  const finished = newObject([['cniVersion', version]]);
  for (const name of known) {
    const value = document[name];
    if (value !== undefined) finished[name] = value;
  }
  if (generation === '0.4.0' && Array.isArray(finished.ips)) {
    finished.ips = finished.ips.map((entry) => (isObject(entry) ? withVersion(entry) : entry));
  }
  if (generation !== '1.1.0') finished.dns ??= newObject();
  else if (saysNothing(finished.dns)) delete finished.dns;
  return merge(finished, withoutKeys(document, 'cniVersion', ...known));
}

const knownKeys: Record<Generation, readonly string[]> = {
  '0.2.0': ['ip4', 'ip6', 'dns'],
  '0.4.0': ['interfaces', 'ips', 'routes', 'dns'],
  '1.1.0': ['interfaces', 'ips', 'routes', 'dns'],
};
const dnsKeys = ['nameservers', 'domain', 'search', 'options'];
const newInterfaceKeys = ['mtu', 'socketPath', 'pciID'];
const newRouteKeys = ['mtu', 'advmss', 'priority', 'table', 'scope'];

/** From each generation to the next, and from the next back to each. */
const up = [familiesToIps, withoutDifferences];
const down = [ipsToFamilies, withoutDifferences];

/** 0.2.0 to 0.4.0; `finishResult` adds the version of each address. */
function familiesToIps(document: JsonObject): JsonObject {
  const families = objects([document.ip4 ?? null, document.ip6 ?? null]);
  const ips = families.map((addresses) =>
    merge(
      present({ address: addresses.ip, gateway: addresses.gateway }),
      withoutKeys(addresses, 'ip', 'gateway', 'routes', 'version', 'address', 'interface'),
    ),
  );
  const routes = families.flatMap((addresses) => objects(addresses.routes));
  return merge(
    present({ ips: atLeastOne(ips), routes: atLeastOne(routes) }),
    withoutKeys(document, 'ip4', 'ip6', 'interfaces', 'ips', 'routes'),
  );
}

/** 0.4.0 to 0.2.0, which has room for one address of each family and the routes of that family. */
function ipsToFamilies(document: JsonObject): JsonObject {
  const ips = objects(document.ips);
  const ip4 = ips.find((entry) => familyOf(entry.address) === 4);
  const ip6 = ips.find((entry) => familyOf(entry.address) === 6);
  if (ip4 === undefined && ip6 === undefined) {
    throw new CniError(ErrorCode.internal, 'cannot convert: no valid IP addresses', {
      details: 'a result of 0.1.0 or 0.2.0 must have an address: ask for a newer cniVersion',
    });
  }
  const routes = objects(document.routes);
  return merge(
    present({ ip4: ip4 && withRoutes(ip4, routes), ip6: ip6 && withRoutes(ip6, routes) }),
    withoutKeys(document, 'interfaces', 'ips', 'routes', 'ip4', 'ip6'),
  );
}

function withRoutes(entry: JsonObject, routes: readonly JsonObject[]): JsonObject {
  const own = routes.filter(({ dst }) => familyOf(dst) === familyOf(entry.address));
  return merge(
    present({
      ip: entry.address,
      gateway: entry.gateway,
      routes: atLeastOne(own.map((route) => withoutKeys(route, ...newRouteKeys))),
    }),
    withoutKeys(entry, 'version', 'address', 'gateway', 'interface', 'ip', 'routes'),
  );
}

/** 0.4.0 to 1.1.0 and back: `version` and the newer keys of an interface are known to one of them only. */
function withoutDifferences(document: JsonObject): JsonObject {
  return newObject(
    Object.entries(document).map(([key, value]) => {
      if (key === 'ips') return [key, objects(value).map((entry) => withoutKeys(entry, 'version'))];
      if (key === 'interfaces')
        return [key, objects(value).map((entry) => withoutKeys(entry, ...newInterfaceKeys))];
      return [key, value];
    }),
  );
}

function withVersion(entry: JsonObject): JsonObject {
  if (entry.version !== undefined && entry.version !== '') return entry;
  const family = familyOf(entry.address);
  return family === undefined
    ? entry
    : merge(present({ version: String(family) }), withoutKeys(entry, 'version'));
}

function familyOf(cidr: Json | undefined): 4 | 6 | undefined {
  const parsed = typeof cidr === 'string' ? parseCidr(cidr) : undefined;
  return parsed && family(parsed.ip);
}

function saysNothing(dns: Json | undefined): boolean {
  if (!isObject(dns)) return dns === undefined;
  return Object.entries(dns).every(
    ([key, value]) => dnsKeys.includes(key) && (value === '' || (Array.isArray(value) && value.length === 0)),
  );
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function atLeastOne(list: JsonObject[]): JsonObject[] | undefined {
  return list.length > 0 ? list : undefined;
}

function present(members: Record<string, Json | undefined>): JsonObject {
  return newObject(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

function merge(...parts: JsonObject[]): JsonObject {
  return newObject(parts.flatMap((part) => Object.entries(part)));
}

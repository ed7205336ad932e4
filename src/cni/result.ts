import * as z from 'zod/mini';
import { parseCidr, parseIp, parseMac } from './address.ts';
import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, JsonNumber, type JsonObject, newObject } from './json.ts';
import { lookUp, withoutKeys } from './keys.ts';
import { firstOf, type Parsed, type Problem, parse, struct, text } from './schema.ts';
import { generationOf, isVersion, supportedVersions, type Version } from './version.ts';

/** A result of the latest version: what code of ours works on, whatever version came in and goes out. */
export type Result = z.infer<ReturnType<typeof latest>>;

// Functions, because a process reads results of one generation and should not pay for three.
const builders = { '0.2.0': oldest, '0.4.0': middle, '1.1.0': latest };
const built = new Map<Version, z.ZodMiniType<JsonObject>>();

/**
 * Section 5, "Success", for each version, as strict as the reference's Go types: what they cannot parse is malformed,
 * and so is a MAC that is none. `ips[].interface` is looked at by `parseResult`.
 */
export function resultSchema(version: Version): z.ZodMiniType<JsonObject> {
  const schema: z.ZodMiniType<JsonObject> = built.get(version) ?? builders[generationOf(version)](version);
  built.set(version, schema);
  return schema;
}

/**
 * The result with its known keys in the specification's spelling and without those that are `null`, `cniVersion` being
 * `version` if it had none; or what is wrong with it. `at` is its own path, such as `prevResult`.
 */
export function parseResult(document: Json, version: Version, at: string): Parsed<JsonObject> {
  const parsed = parse(resultSchema(version), document, at);
  const problems = [...parsed.problems, ...indexProblems(document, version, at)];
  if (!('value' in parsed) || problems.length > 0) return { problems };
  const cniVersion = versionOfResult(parsed.value, version);
  const rest = Object.entries(withoutKeys(parsed.value, 'cniVersion'));
  return { value: newObject([['cniVersion', cniVersion], ...rest]), problems: [] };
}

/** What is wrong with a result of `version`. */
export function resultProblems(document: Json, version: Version, at: string): Problem[] {
  return parseResult(document, version, at).problems;
}

/** The result as `parseResult` has it. Throws code 7 with its problems. */
export function readResult(document: Json, version: Version, at: string): JsonObject {
  const parsed = parseResult(document, version, at);
  if ('value' in parsed) return parsed.value;
  const found = parsed.problems.map(({ message }) => message);
  throw new CniError(ErrorCode.invalidConfiguration, found.join('; '));
}

/**
 * The version that a result names, else `otherwise`. libcni reads the result of a plugin that it ran in the version it
 * names, while skel reads a prevResult in that of the configuration.
 */
export function versionOfResult(document: Json, otherwise: Version): Version {
  const named = isObject(document) ? lookUp(document, 'cniVersion') : undefined;
  return isVersion(named) ? named : otherwise;
}

function oldest(version: Version) {
  const addresses = struct({
    ip: cidr(),
    gateway: z.optional(ip()),
    routes: z.optional(z.array(route())),
  });
  return struct({
    cniVersion: namedVersion(version),
    ip4: z.optional(addresses),
    ip6: z.optional(addresses),
    dns: z.optional(dns()),
  });
}

function middle(version: Version) {
  const address = struct({ version: z.optional(z.string()), ...addressKeys() });
  return struct({
    cniVersion: namedVersion(version),
    interfaces: z.optional(z.array(struct(interfaceKeys()))),
    ips: z.optional(z.array(address)),
    routes: z.optional(z.array(route())),
    dns: z.optional(dns()),
  });
}

function latest(version: Version) {
  const networkInterface = struct({
    ...interfaceKeys(),
    mtu: z.optional(integer()),
    socketPath: z.optional(z.string()),
    pciID: z.optional(z.string()),
  });
  return struct({
    cniVersion: namedVersion(version),
    interfaces: z.optional(z.array(networkInterface)),
    ips: z.optional(z.array(struct(addressKeys()))),
    routes: z.optional(z.array(route())),
    dns: z.optional(dns()),
  });
}

function interfaceKeys() {
  return { name: z.optional(z.string()), mac: z.optional(mac()), sandbox: z.optional(z.string()) };
}

function addressKeys() {
  return { address: cidr(), gateway: z.optional(ip()), interface: z.optional(index()) };
}

/** The keys of 1.1.0 in every version, because Go has one type for all of them. */
function route() {
  return struct({
    dst: cidr(),
    gw: z.optional(ip()),
    mtu: z.optional(integer()),
    advmss: z.optional(integer()),
    priority: z.optional(integer()),
    table: z.optional(integer()),
    scope: z.optional(integer()),
  });
}

function dns() {
  const texts = z.optional(z.array(z.string()));
  return struct({ nameservers: texts, domain: z.optional(z.string()), search: texts, options: texts });
}

/** Any version of the same generation, as `NewResult` of Go's types takes it; empty is as good as absent. */
function namedVersion(version: Version) {
  const fitting = supportedVersions.filter((other) => generationOf(other) === generationOf(version));
  const fits = (named: string) => named === '' || fitting.some((other) => other === named);
  return z.optional(text(fits, `is another version than "${version}", the configuration's`));
}

function cidr() {
  return text((value) => parseCidr(value) !== undefined, 'is not a CIDR address');
}

/** `net.IP` reads an empty text as no address. */
function ip() {
  return text((value) => value === '' || parseIp(value) !== undefined, 'is not an IP address');
}

function mac() {
  return text((value) => value === '' || parseMac(value) !== undefined, 'is not a MAC address');
}

/** Stays as it was written: digits beyond 2^53 must survive. */
function integer() {
  return z.custom<number | JsonNumber>((value) => integerOf(value) !== undefined, {
    error: 'is not an integer',
  });
}

function index() {
  return z.pipe(
    integer(),
    z.transform((value) => integerOf(value) ?? 0),
  );
}

/** The value of a number that fits Go's `int`. skel takes 1.0 for 1, because it reads a prevResult twice. */
function integerOf(value: unknown): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) <= 2 ** 63
    ? number
    : undefined;
}

function indexProblems(document: Json, version: Version, at: string): Problem[] {
  if (!isObject(document) || generationOf(version) === '0.2.0') return [];
  const interfaces = lookUp(document, 'interfaces') ?? [];
  const ips = lookUp(document, 'ips');
  if (!Array.isArray(interfaces) || !Array.isArray(ips)) return [];
  const among = interfaces.length === 1 ? 'is 1 interface' : `are ${interfaces.length} interfaces`;
  const outside = ips.flatMap((entry, position) => {
    const value = isObject(entry) ? integerOf(lookUp(entry, 'interface')) : undefined;
    return value === undefined || (value >= 0 && value < interfaces.length) ? [] : [{ position, value }];
  });
  const describe = ({ position, value }: { position: number; value: number }) => {
    const path = `${at}${at === '' ? '' : '.'}ips[${position}].interface`;
    return { path, message: `${path}: ${value} is out of range: there ${among}` };
  };
  return firstOf(outside, describe, at);
}

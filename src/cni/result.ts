import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, type JsonNumber, type JsonObject, newObject } from './json.ts';
import { lookUp, withoutKeys } from './keys.ts';
import { firstOf, keyPath, type Parsed, type Problem, problemWith } from './problem.ts';
import { resultReader } from './result-reader.ts';
import { goInt, type WrongValue } from './value-reader.ts';
import { generationOf, isVersion, type Version } from './version.ts';

/** A result of the latest version: what code of ours works on, whatever version came in and goes out. */
export type Result = JsonObject & {
  cniVersion?: string;
  interfaces?: ResultInterface[];
  ips?: ResultAddress[];
  routes?: ResultRoute[];
  dns?: ResultDns;
};

type ResultInterface = JsonObject & {
  name?: string;
  mac?: string;
  sandbox?: string;
  mtu?: number | JsonNumber;
  socketPath?: string;
  pciID?: string;
};

type ResultAddress = JsonObject & {
  address: string;
  gateway?: string;
  /** Its position in `interfaces`. */
  interface?: number;
};

type ResultRoute = JsonObject & {
  dst: string;
  gw?: string;
  mtu?: number | JsonNumber;
  advmss?: number | JsonNumber;
  priority?: number | JsonNumber;
  table?: number | JsonNumber;
  scope?: number | JsonNumber;
};

type ResultDns = JsonObject & {
  nameservers?: string[];
  domain?: string;
  search?: string[];
  options?: string[];
};

/**
 * The result with its known keys in the specification's spelling and without those that are `null`, `cniVersion` being
 * `version` if it had none; or what is wrong with it. `at` is its own path, such as `prevResult`.
 */
export function parseResult(document: Json, version: Version, at: string): Parsed<JsonObject> {
  const wrong: WrongValue[] = [];
  const value = resultReader(version)(document, at, wrong);
  const problems = [...firstOf(wrong, describe, at), ...indexProblems(document, version, at)];
  if (!isObject(value) || problems.length > 0) return { problems };
  const cniVersion = versionOfResult(value, version);
  const rest = Object.entries(withoutKeys(value, 'cniVersion'));
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

/** The addresses in a result of any version, with their prefix lengths, as they stand. */
export function addressesOf(result: JsonObject | undefined): string[] {
  if (result === undefined) return [];
  const { ip4, ip6, ips } = result;
  const entries = Array.isArray(ips) ? ips.map((ip) => isObject(ip) && ip.address) : [];
  const old = [ip4, ip6].map((ip) => isObject(ip) && ip.ip);
  return [...entries, ...old].filter((address) => typeof address === 'string');
}

function describe({ path, value, complaint }: WrongValue): Problem {
  return problemWith(path, value, complaint);
}

function indexProblems(document: Json, version: Version, at: string): Problem[] {
  if (!isObject(document) || generationOf(version) === '0.2.0') return [];
  const interfaces = lookUp(document, 'interfaces') ?? [];
  const ips = lookUp(document, 'ips');
  if (!Array.isArray(interfaces) || !Array.isArray(ips)) return [];
  const among = interfaces.length === 1 ? 'is 1 interface' : `are ${interfaces.length} interfaces`;
  const outside = ips.flatMap((entry, position) => {
    const value = isObject(entry) ? goInt(lookUp(entry, 'interface')) : undefined;
    return value === undefined || (value >= 0 && value < interfaces.length) ? [] : [{ position, value }];
  });
  const describeIndex = ({ position, value }: { position: number; value: number }) => {
    const path = `${keyPath(at, 'ips')}[${position}].interface`;
    return { path, message: `${path}: ${value} is out of range: there ${among}` };
  };
  return firstOf(outside, describeIndex, at);
}

import { formatCidr, formatIp, type Ip } from '../cni/address.ts';
import type { Configuration } from '../cni/configuration.ts';
import { ConfigurationValue } from '../cni/configuration-value.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { integerOf, type JsonObject, newObject } from '../cni/json.ts';
import { withoutKeys } from '../cni/keys.ts';
import { isAtLeast } from '../cni/version.ts';
import { parseDuration } from '../trace/quantity.ts';
import { overlapping, type RangeSet, readRangeSet } from './range.ts';
import { readRequestedIps } from './requested-ips.ts';

/** Where the leases of a network are: all that it takes to give them back. */
export interface LeaseDirectory {
  readonly dataDir: string;
  /** `<dataDir>/<network>` */
  readonly directory: string;
  /** How long another process may keep the lock, in ms. */
  readonly lockTimeoutMs: number;
  /** Where the index is kept; see `lease-index.ts`. */
  readonly indexFolder: string;
}

/** The keys of `ipam` and what the runtime adds to them. */
export interface HostLocalSettings extends LeaseDirectory {
  readonly sets: readonly RangeSet[];
  /** Asked for by the runtime, each once. */
  readonly requested: readonly Ip[];
  /** As they go into the result. */
  readonly routes: readonly JsonObject[];
  /** A file in the format of /etc/resolv.conf, whose `dns` goes into the result. */
  readonly resolvConf: string | undefined;
}

/** A folder in it for each network. */
export const defaultDataDir = '/var/lib/cni/networks';
const defaultLockTimeoutMs = 30_000;
const indexFolder = '/run/cni-debug/host-local';

/** What host-local is to do. `args` is CNI_ARGS. Throws code 7, with the path of what is wrong. */
export function readHostLocal(configuration: Configuration, args: string): HostLocalSettings {
  const document = new ConfigurationValue('', configuration.document);
  const ipam = ipamOf(document);
  const directory = { ...readLeaseDirectory(configuration), lockTimeoutMs: readLockTimeout(ipam) };
  const requested = readRequestedIps(args, document);
  const sets = readRangeSets(document, ipam);
  refuseAmbiguity(sets, configuration);
  const routes = ipam.key('routes').elements().map(readRoute);
  return { ...directory, sets, requested, routes, resolvConf: ipam.key('resolvConf').text() || undefined };
}

/**
 * What is needed of it to remove leases: a mistake in the ranges or in `lockTimeout` must not keep a pod from ending.
 * Throws code 7 when it does not say where the leases are.
 */
export function readLeaseDirectory({ document, name }: Configuration): LeaseDirectory {
  const ipam = ipamOf(new ConfigurationValue('', document));
  const dataDir = ipam.key('dataDir').text() || defaultDataDir;
  if (!dataDir.startsWith('/')) throw ipam.key('dataDir').error('is not an absolute path');
  const { value } = ipam.key('lockTimeout');
  const lockTimeoutMs = (typeof value === 'string' && parseDuration(value)) || defaultLockTimeoutMs;
  return { dataDir, directory: `${dataDir.replace(/\/+$/, '')}/${name}`, lockTimeoutMs, indexFolder };
}

/** Of leases that were found, whatever configuration they were made by. */
export function leaseDirectoryAt(directory: string): LeaseDirectory {
  const dataDir = directory.slice(0, directory.lastIndexOf('/'));
  return { dataDir, directory, lockTimeoutMs: defaultLockTimeoutMs, indexFolder };
}

function readLockTimeout(ipam: ConfigurationValue): number {
  const value = ipam.key('lockTimeout');
  const timeoutMs = value.isAbsent ? defaultLockTimeoutMs : parseDuration(value.text() ?? '');
  if (timeoutMs === undefined) throw value.error('is not a duration such as "500ms" or "10s"');
  return timeoutMs;
}

function ipamOf(document: ConfigurationValue): ConfigurationValue {
  const ipam = document.key('ipam');
  if (ipam.isAbsent) throw new CniError(ErrorCode.invalidConfiguration, "IPAM config missing 'ipam' key");
  return ipam;
}

/** In the order that gives each set its number, which `last_reserved_ip.<N>` on disk has. */
function readRangeSets(document: ConfigurationValue, ipam: ConfigurationValue): RangeSet[] {
  const listed = (list: ConfigurationValue) =>
    list.elements().map((set) => ({ path: set.path, ranges: set.elements() }));
  const sets = [
    ...listed(document.key('runtimeConfig').key('ipRanges')),
    ...(ipam.key('subnet').isAbsent ? [] : [{ path: ipam.path, ranges: [ipam] }]),
    ...listed(ipam.key('ranges')),
  ];
  if (sets.length === 0) throw new CniError(ErrorCode.invalidConfiguration, 'no IP ranges specified');
  return sets.map(({ path, ranges }, index) => readRangeSet(path, ranges, index));
}

function refuseAmbiguity(sets: readonly RangeSet[], { cniVersion }: Configuration): void {
  const bytes = sets.map(([{ start }]) => start.length);
  const several = [4, 16].some((length) => bytes.filter((other) => other === length).length > 1);
  if (several && !isAtLeast(cniVersion, '0.3.0')) {
    throw new CniError(
      ErrorCode.invalidConfiguration,
      `CNI version ${cniVersion} does not support more than 1 address per family`,
    );
  }
  for (const [index, set] of sets.entries()) {
    const other = sets.findIndex((candidate, place) => place > index && overlapping(set, candidate));
    if (other >= 0)
      throw new CniError(ErrorCode.invalidConfiguration, `range set ${index} overlaps with ${other}`);
  }
}

const u8 = 2 ** 8 - 1;
const u32 = 2 ** 32 - 1;
/** The greatest that the kernel takes: of RTAX_MTU, RTAX_ADVMSS, RTA_PRIORITY, RTA_TABLE, and `rtm_scope` of struct rtmsg. */
const routeNumbers: [string, number][] = [
  ['mtu', u32],
  ['advmss', u32],
  ['priority', u32],
  ['table', u32],
  ['scope', u8],
];
const routeKeys = ['dst', 'gw', ...routeNumbers.map(([name]) => name)];

/** The known keys in the specification's spelling, and the others as they came. */
function readRoute(route: ConfigurationValue): JsonObject {
  const dst = route.key('dst').cidr();
  if (dst === undefined) throw route.key('dst').error('');
  const gw = route.key('gw').ip();
  const read = newObject([['dst', formatCidr(dst)]]);
  if (gw !== undefined) read.gw = formatIp(gw);
  for (const [name, most] of routeNumbers) {
    const value = route.key(name);
    const written = value.integer();
    if (written === undefined) continue;
    const number = integerOf(written) ?? -1;
    if (number < 0 || number > most) throw value.error('is out of range');
    read[name] = written;
  }
  return Object.assign(read, withoutKeys(route.value as JsonObject, ...routeKeys));
}

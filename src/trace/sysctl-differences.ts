import { decodeDeviceSysctls, otherDeviceSysctls } from '../kernel/netlink/device-sysctl.ts';
import { readSysctl } from '../kernel/sysctl.ts';
import { SystemError } from '../kernel/system-error.ts';
import type { Difference, Found } from './change.ts';

/** By paths as readSysctl takes them, without `net/`: `ipv4/conf/all/forwarding`. */
export type CommonSysctls = ReadonlyMap<string, string | number>;

/** Reads settings as files, inside a namespace. */
export class SysctlReader {
  /**
   * @param inside runs a function where the files are those of the namespace
   * @param named paths of further settings, `net/core/somaxconn`: those that a configuration sets
   */
  constructor(
    private readonly inside: <T extends string[]>(run: () => T) => T,
    private readonly named: readonly string[],
  ) {}

  /** Of what the kernel does not tell by netlink only what is asked for. */
  readCommon(): [string, string][] {
    return this.#read(this.named);
  }

  /** What a new link begins with, of the settings that plugins set. */
  readDefaults(): Map<string, number> {
    const paths = SET_BY_PLUGINS.map((name) => `net/${name.replace('/', '/conf/default/')}`);
    return new Map(
      this.#read(paths).map(([path, value]) => [path.replace('/conf/default/', '/'), Number(value)]),
    );
  }

  #read(paths: readonly string[]): [string, string][] {
    if (paths.length === 0) return [];
    const values = this.inside(() => paths.map((path) => readIfThere(path)));
    return paths.flatMap((path, index) => {
      const value = values[index] ?? '';
      return value === '' ? [] : [[path.replace(/^net\//, ''), value]];
    });
  }
}

/** Empty where the kernel has none of that name, or does not show it to us. */
function readIfThere(path: string): string {
  try {
    return readSysctl(path);
  } catch (error) {
    if (error instanceof SystemError || error instanceof RangeError) return '';
    throw error;
  }
}

/** Settings of a link that the reference's plugins and ours set, and some that `tuning` is used for. */
const SET_BY_PLUGINS = [
  ...['ipv4/arp_notify', 'ipv4/route_localnet', 'ipv4/rp_filter', 'ipv4/proxy_arp', 'ipv4/arp_ignore'],
  ...['ipv4/arp_announce', 'ipv4/forwarding', 'ipv6/accept_ra', 'ipv6/accept_dad', 'ipv6/disable_ipv6'],
  ...['ipv6/keep_addr_on_down', 'ipv6/enhanced_dad', 'ipv6/ndisc_notify', 'ipv6/forwarding'],
  ...['ipv6/autoconf', 'ipv6/addr_gen_mode', 'ipv6/proxy_ndp', 'ipv6/dad_transmits'],
];

/**
 * What was set: of links that were there before, all that is other; of new ones, what is not as they begin; and of
 * what is for all links. That all of them follow `all` is not said of each.
 */
export function sysctlDifferences(
  changedLinks: readonly ChangedLink[],
  oldCommon: CommonSysctls,
  newCommon: CommonSysctls,
  reader: SysctlReader,
): Difference[] {
  const followsAll = (name: string, value: number): boolean => {
    const path = name.replace('/', '/conf/all/');
    return oldCommon.get(path) !== newCommon.get(path) && newCommon.get(path) === value;
  };
  let defaults: Map<string, number> | undefined;
  const devices: Difference[] = [];
  for (const { index, name: link, old, now } of changedLinks) {
    if (now === undefined) continue;
    if (old === undefined) defaults ??= reader.readDefaults();
    const before = old && decodeDeviceSysctls(old);
    for (const [name, value, previous] of otherDeviceSysctls(decodeDeviceSysctls(now), before)) {
      const from = old === undefined ? defaults?.get(name) : previous;
      if (from === undefined || from === value || followsAll(name, value)) continue;
      // So the kernel has it for links without ARP.
      if (old === undefined && name === 'ipv6/accept_dad' && value === -1) continue;
      devices.push({
        old: deviceObject(index, link, name, from),
        now: deviceObject(index, link, name, value),
      });
    }
  }
  return [...commonDifferences(oldCommon, newCommon), ...devices];
}

/** A link whose payload of RTM_NEWLINK became another. */
export interface ChangedLink {
  readonly index: number;
  /** As it is called now. */
  readonly name: string;
  readonly old?: Buffer;
  readonly now?: Buffer;
}

function deviceObject(link: number, name: string, setting: string, value: number): Found {
  // As the kernel's own text has it: sysctl(8) writes dots in names as slashes.
  const object = `net.${setting.replace('/', `.conf.${name.replaceAll('.', '/')}.`)}`;
  return { kind: 'sysctl', object, link, values: { value } };
}

/** Setting `all` sets `default`, too. */
function commonDifferences(before: CommonSysctls, after: CommonSysctls): Difference[] {
  const isOther = (path: string): boolean => before.get(path) !== after.get(path);
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(isOther);
  return paths.flatMap((path) => {
    const all = path.replace('/default/', '/all/');
    if (all !== path && isOther(all) && after.get(all) === after.get(path)) return [];
    const [old, now] = [before.get(path), after.get(path)];
    return {
      ...(old === undefined ? {} : { old: commonObject(path, old) }),
      ...(now === undefined ? {} : { now: commonObject(path, now) }),
    };
  });
}

/** `ipv4/conf/all/forwarding` is `ip_forward`. */
function commonObject(path: string, value: string | number): Found {
  const object =
    path === 'ipv4/conf/all/forwarding' ? 'net.ipv4.ip_forward' : `net.${path.replaceAll('/', '.')}`;
  return { kind: 'sysctl', object, values: { value } };
}

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandIn } from './namespace-command.ts';

// biome-ignore lint/suspicious/noExplicitAny: what `ip -json` and `nft -json` print.
type Json = any;

/**
 * All that a plugin may change in a network namespace, one fact a line: links, addresses, routes, rules, permanent
 * neighbours, nftables and sysctls. What changes by itself (counters, timers, indexes, the state of duplicate address
 * detection) and what follows from a link (its link-local address, the local table) is left out.
 */
export function snapshotOf(netns: string): string[] {
  const lines = [
    ...['-4', '-6'].flatMap((family) => {
      const [links, addresses, routes, rules, neighbours] = ipBatch(netns, family);
      return [
        ...links.map((link: Json) => `link ${link.ifname} ${text(linkFacts(link))}`),
        ...addresses.flatMap(addressLines),
        ...routes.flatMap(routeLine),
        ...rules.map((rule: Json) => `rule ${family} ${text(rule)}`),
        ...neighbours.map((neighbour: Json) => `neighbour ${text(neighbour)}`),
      ];
    }),
    ...nftablesLines(netns),
    ...sysctlLines(netns),
  ];
  return [...new Set(lines)].sort();
}

/**
 * The lease directories of host-local: each file with its content, and who holds which lock. Of `last_reserved_ip`
 * only that it is there, since every ADD moves it on.
 */
export function leaseLines(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((network) => {
    const names = readdirSync(join(folder, network)).sort();
    return names.map((name) => {
      const path = join(folder, network, name);
      if (name === 'lock') return `lock ${network} ${isLocked(path) ? 'held' : 'free'}`;
      const content = name.startsWith('last_reserved_ip') ? '' : JSON.stringify(readFileSync(path, 'utf8'));
      return `lease ${network} ${name} ${content}`.trimEnd();
    });
  });
}

/** The lines that are in one of two snapshots only: `- ` before those that are gone, `+ ` before those that are new. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}

const questions = ['link show', 'addr show', 'route show table all', 'rule show', 'neigh show nud permanent'];

/** All questions to one process: for each the list that `ip` answers. */
function ipBatch(netns: string, family: string): Json[] {
  const command = `printf '%s\\n' "$@" | ip -json -details ${family} -batch -`;
  const answers = commandIn(netns, 'sh', '-c', command, 'sh', ...questions);
  return answers
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const linkKeys = ['mtu', 'master', 'address', 'txqlen', 'group', 'ifalias', 'promiscuity', 'allmulti'];
const bridgeKeys = [
  'stp_state',
  'priority',
  'forward_delay',
  'ageing_time',
  'vlan_filtering',
  'mcast_snooping',
];
const portKeys = ['hairpin', 'isolated', 'guard', 'learning', 'flood', 'mcast_flood', 'locked', 'proxy_arp'];

function linkFacts(link: Json): Json {
  const { linkinfo = {} } = link;
  // The kernel tells a bridge of its ports, and a veth of its peer's end, later and in its own time.
  const later = linkinfo.info_kind === 'bridge' ? ['NO-CARRIER', 'LOWER_UP'] : ['NO-CARRIER'];
  return {
    ...pick(link, linkKeys),
    flags: link.flags.filter((flag: string) => !later.includes(flag)).toSorted(),
    isUp: linkinfo.info_kind === 'bridge' ? undefined : link.operstate === 'UP',
    kind: linkinfo.info_kind,
    bridge: linkinfo.info_kind === 'bridge' ? pick(linkinfo.info_data, bridgeKeys) : undefined,
    macvlan: linkinfo.info_kind === 'macvlan' ? pick(linkinfo.info_data, ['mode', 'bcqueuelen']) : undefined,
    port: linkinfo.info_slave_kind === 'bridge' ? pick(linkinfo.info_slave_data, portKeys) : undefined,
  };
}

function addressLines({ ifname, addr_info }: Json): string[] {
  const keys = [
    'broadcast',
    'scope',
    'label',
    'nodad',
    'secondary',
    'deprecated',
    'noprefixroute',
    'dadfailed',
  ];
  return addr_info
    .filter(({ scope }: Json) => scope !== 'link')
    .map((one: Json) => `address ${ifname} ${one.local}/${one.prefixlen} ${text(pick(one, keys))}`);
}

function routeLine(route: Json): string[] {
  if (route.table === 'local' || route.dst.startsWith('fe80:')) return [];
  const { dst, flags: all, ...facts } = route;
  const flags = all.filter((flag: string) => flag !== 'linkdown');
  return [`route ${dst} ${text({ ...facts, ...(flags.length > 0 ? { flags } : {}) })}`];
}

/** Handles differ after any change; a table's owner and a counter's value are not part of the ruleset. */
function nftablesLines(netns: string): string[] {
  const listed = commandIn(netns, 'nft', '-j', 'list', 'ruleset');
  // nft 1.0.6 ends in the middle of a table that has an owner.
  if (!listed.trimEnd().endsWith('}')) {
    return commandIn(netns, 'nft', 'list', 'ruleset')
      .split('\n')
      .map((line) => `nft ${line}`);
  }
  const { nftables } = JSON.parse(listed);
  return nftables
    .filter((entry: Json) => !('metainfo' in entry))
    .map((entry: Json) => {
      const clean = (key: string, value: Json) =>
        key === 'handle' ? undefined : key === 'counter' ? {} : value;
      const [[kind, object]] = Object.entries(entry) as [[string, Json]];
      if (Array.isArray(object.elem)) object.elem = object.elem.map((one: Json) => text(one)).sort();
      return `nft ${kind} ${JSON.stringify(object, clean)}`;
    });
}

/** net.ipv4 and net.ipv6, of an interface what differs from `default`. Some cannot be read before they were written. */
function sysctlLines(netns: string): string[] {
  const script = 'cd /proc/sys/net && grep -rs . ipv4/ip_forward ipv4/conf ipv6/conf || true';
  const found = commandIn(netns, 'sh', '-c', script)
    .trim()
    .split('\n')
    .map((line) => /^(.*?):(.*)$/.exec(line)?.slice(1) ?? []) as [string, string][];
  const all = new Map(found);
  const isDefault = ([key, value]: [string, string]) =>
    !/\/(all|default)\//.test(key) && all.get(key.replace(/conf\/[^/]+\//, 'conf/default/')) === value;
  return found.filter((one) => !isDefault(one)).map(([key, value]) => `sysctl ${key}=${value}`);
}

/** Whether anybody holds a flock on the file, by its inode in /proc/locks. */
function isLocked(path: string): boolean {
  const { ino } = statSync(path);
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .some((line) => line.includes('FLOCK') && line.split(/\s+/).some((word) => word.endsWith(`:${ino}`)));
}

function pick(object: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]));
}

function text(object: Json): string {
  return JSON.stringify(object);
}

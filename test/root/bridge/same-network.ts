import type { Implementation } from '../implementations.ts';
import { type Call, type Pod, Site } from '../site.ts';
import { difference, snapshotOf } from '../snapshot.ts';

// biome-ignore lint/suspicious/noExplicitAny: configurations and results are read as JSON.
type Json = any;

export interface Case {
  /** Keys of the configuration; `ipam` is given the site's data directory. */
  readonly keys: Json;
  readonly call?: Call;
  /** Before ADD, in words of `ip` on the node. */
  readonly before?: readonly string[];
}

/** What one implementation made of a configuration, in words that do not depend on who did it. */
export interface Made {
  /** The result of ADD, or its error. */
  readonly answer: Json;
  readonly pod: readonly string[];
  readonly node: readonly string[];
  /** What is different on the node from before ADD once DEL is through. */
  readonly left: readonly string[];
}

/** ADD and DEL on a site of their own. */
export async function make(by: Implementation, { keys, call, before = [] }: Case): Promise<Made> {
  using site = new Site();
  const pod = site.pod('pod');
  for (const line of before) site.onNode('ip', ...line.split(' '));
  await settled(site);
  const start = site.snapshot();
  const ipam = keys.ipam?.ranges ? { ...keys.ipam, dataDir: site.leases } : keys.ipam;
  const configuration = { ...site.configuration(), ...keys, ipam };
  const added = await site.call('ADD', configuration, { by, pod, ...call });
  const answer = JSON.parse(added.stdout);
  const words = rolesOf(site, pod);
  const [node, inside] = [neutral(site.snapshot(), words), neutral(snapshotOf(pod.netns), words)];
  await site.del(
    { ...configuration, ...(added.status === 0 ? { prevResult: answer } : {}) },
    { by, pod, ...call },
  );
  const left = difference(start, site.snapshot());
  return { answer: withoutMtu(translated(answer, words)), node, pod: inside, left: neutral(left, words) };
}

/** The kernel says in its own time that a link has a carrier. */
async function settled(site: Site): Promise<void> {
  const isUnsettled = ({ flags, operstate }: Json) => flags.includes('LOWER_UP') && operstate === 'DOWN';
  const deadline = Date.now() + 10_000;
  while (JSON.parse(site.onNode('ip', '-j', 'link')).some(isUnsettled) && Date.now() < deadline)
    await Bun.sleep(10);
}

/** Random words (names, MACs, the namespace's path) and what to say instead. */
type Roles = [string, string][];

function rolesOf(site: Site, pod: Pod): Roles {
  const links = (netns: string): Json[] => JSON.parse(site.inPod({ ...pod, netns }, 'ip', '-j', 'link'));
  const roles: Roles = [[pod.netns, '<netns>']];
  for (const { ifname, address, master } of links(site.node).filter(({ ifname }) => ifname !== 'lo')) {
    roles.push([address, master === undefined ? `<mac of ${ifname}>` : '<mac of host veth>']);
    if (master !== undefined) roles.push([ifname, '<host veth>']);
  }
  for (const { ifname, address } of links(pod.netns).filter(({ ifname }) => ifname !== 'lo')) {
    roles.push([address, `<mac of ${ifname} in pod>`]);
  }
  return roles;
}

function translated(value: Json, roles: Roles): Json {
  return JSON.parse(roles.reduce((text, [word, role]) => text.replaceAll(word, role), JSON.stringify(value)));
}

/** The reference never tells an interface's MTU. */
function withoutMtu(answer: Json): Json {
  const interfaces = answer.interfaces?.map(({ mtu: _, ...facts }: Json) => facts);
  return interfaces ? { ...answer, interfaces } : answer;
}

/**
 * Without the ruleset, which is each implementation's own, and without what ours adds: the owner in a veth's alias,
 * the kernel's default queue where the reference leaves the host end without one, and `nodad` where the reference
 * turns detection off by sysctl.
 */
function neutral(lines: readonly string[], roles: Roles): string[] {
  const own = /"ifalias":"[^"]*",?|"nodad":true,?|(?<=^link <host veth>.*)"txqlen":\d+,/g;
  return lines
    .filter((line) => !/^([+-] )?nft /.test(line))
    .map((line) => roles.reduce((text, [word, role]) => text.replaceAll(word, role), line))
    .map((line) => line.replace(own, ''))
    .map((line) =>
      line.replace(/,}/g, '}').replace(/"address":"(?!00:)[0-9a-f:]{17}"/, '"address":"<other mac>"'),
    )
    .sort();
}

import { contains, formatCidr, formatIp, parseCidr } from '../../cni/address.ts';
import type { Address } from '../../kernel/netlink/address.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { endpointsOf } from '../../network/gateway.ts';
import { configuredNetworks } from '../facts/made-attachments.ts';
import { bridgedAttachments } from '../facts/node-bridges.ts';
import { poolsOf } from '../facts/pools.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';

export const bridgeAddress: Rule = {
  id: 'D025',
  name: 'bridge-address',
  severity: 'error',
  summary:
    'A bridge has not the address that its containers have for a gateway, or its configuration asks for.',
  meaning:
    'pods reach nobody but each other, or no further pod starts: "already has an IP address different from"',
  async find(survey) {
    const lacking = await foundTwice(
      survey,
      lackingGateways,
      ({ bridge, wanted, why }) => `${bridge} ${wanted} ${why}`,
    );
    return [...grouped(lacking, ({ bridge }) => bridge)].map(([bridge, all]) => found(bridge, all, survey));
  },
};

interface LackingGateway {
  readonly bridge: string;
  /** `10.22.0.1/16` */
  readonly wanted: string;
  readonly why: 'containers' | 'configuration';
  /** Who says so: the file, and what it is the file of. */
  readonly source: string;
  readonly text: string;
}

function lackingGateways(survey: Survey): LackingGateway[] {
  return [...ofContainers(survey), ...ofConfiguration(survey)];
}

/** The containers that live have it for a gateway, and no link of the node has it. */
function ofContainers(survey: Survey): LackingGateway[] {
  const own = new Set(survey.host().addresses.map(({ address }) => address));
  return bridgedAttachments(survey).flatMap(({ made, facts, bridge }) => {
    if (!facts.isGateway || facts.vlan !== 0 || bridge === undefined) return [];
    return endpointsOf(made.result).flatMap(({ address, gateway }) => {
      if (gateway === undefined || own.has(formatIp(gateway))) return [];
      const wanted = formatCidr({ ip: gateway, prefixLength: address.prefixLength });
      const text = `the gateway of container ${made.containerID} ${made.ifName} is ${formatIp(gateway)}`;
      return [{ bridge: bridge.name, wanted, why: 'containers' as const, source: made.path, text }];
    });
  });
}

/** The next ADD finds another address in its place, and refuses. */
function ofConfiguration(survey: Survey): LackingGateway[] {
  const { links, addresses } = survey.host();
  const pools = poolsOf(survey);
  return configuredNetworks(survey).flatMap(({ name: network, path, plugins }) => {
    const [facts, ...more] = plugins.flatMap(
      ({ type, document }) => survey.settings.facts.bridge(type, document) ?? [],
    );
    // Which pool is whose is not to be seen where there are two bridges.
    if (facts === undefined || more.length > 0 || !facts.isGateway || facts.forceAddress || facts.vlan !== 0)
      return [];
    const bridge = links.find(({ name, kind }) => name === facts.bridge && kind === 'bridge');
    if (bridge === undefined) return [];
    const present = addresses.filter(({ index }) => index === bridge.index);
    return pools.flatMap((pool) => {
      const [range, ...others] = pool.set;
      if (pool.network !== network || others.length > 0) return [];
      const wanted = formatCidr({ ip: range.gateway, prefixLength: range.subnet.prefixLength });
      if (!isInTheWay(present, wanted)) return [];
      const text = `"isGateway" of ${formatCidr(range.subnet)}, whose gateway is ${formatIp(range.gateway)}`;
      return [{ bridge: bridge.name, wanted, why: 'configuration' as const, source: path, text }];
    });
  });
}

/** As the bridge plugins judge it: of IPv6 a bridge may have several, if they do not overlap. */
function isInTheWay(present: readonly Address[], wanted: string): boolean {
  const cidr = parseCidr(wanted);
  if (cidr === undefined) return false;
  const same = present.flatMap(({ address, prefixLength }) => {
    const found = parseCidr(`${address}/${prefixLength}`);
    return found?.ip.length === cidr.ip.length ? [found] : [];
  });
  if (same.some((found) => formatCidr(found) === wanted)) return false;
  return same.some((found) => found.ip.length === 4 || contains(found, cidr.ip) || contains(cidr, found.ip));
}

function found(bridge: string, lacking: readonly LackingGateway[], survey: Survey): Draft {
  const { links, addresses } = survey.host();
  const index = links.find(({ name }) => name === bridge)?.index;
  const present = addresses
    .filter((one) => one.index === index && one.scope === 0)
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  const wanted = [...new Set(lacking.map((one) => one.wanted))];
  const isOfContainers = lacking.some(({ why }) => why === 'containers');
  return {
    object: `bridge ${bridge}`,
    cause: `it has ${present.join(', ') || 'no address'}, and should have ${wanted.join(', ')}`,
    evidence: [
      { source: `ip address show dev ${shellWord(bridge)}`, text: present.join(', ') || 'no address' },
      ...lacking.slice(0, mostShown).map(({ source, text }) => ({ source, text })),
    ],
    ...mendOf(bridge, { present, wanted, isOfContainers, isInUse: isGateway(survey, present) }),
  };
}

const mostShown = 3;

/** Whether a container that lives has one of these for a gateway. */
function isGateway(survey: Survey, present: readonly string[]): boolean {
  const own = new Set(present.map((address) => address.split('/')[0]));
  return bridgedAttachments(survey).some(({ made }) =>
    endpointsOf(made.result).some(({ gateway }) => gateway !== undefined && own.has(formatIp(gateway))),
  );
}

function mendOf(
  bridge: string,
  {
    present,
    wanted,
    isOfContainers,
    isInUse,
  }: { present: readonly string[]; wanted: readonly string[]; isOfContainers: boolean; isInUse: boolean },
): Pick<Draft, 'fix' | 'undo'> {
  if (isInUse && !isOfContainers)
    return {
      fix: [
        `say in the configuration what the bridge has, or end all pods on it, then: ip link delete ${shellWord(bridge)}`,
      ],
    };
  const others = isInUse ? [] : present.filter((one) => wanted.some((address) => isSameFamily(one, address)));
  return {
    fix: [
      ...others.map((address) => `ip address del ${address} dev ${shellWord(bridge)}`),
      ...wanted.map((address) => `ip address add ${address} dev ${shellWord(bridge)}`),
    ],
    undo: [
      ...wanted.map((address) => `ip address del ${address} dev ${shellWord(bridge)}`),
      ...others.map((address) => `ip address add ${address} dev ${shellWord(bridge)}`),
    ],
  };
}

function isSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}

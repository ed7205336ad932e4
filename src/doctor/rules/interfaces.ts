import { formatCidr, networkOf, parseCidr } from '../../cni/address.ts';
import { shellWord } from '../../lint/shell-word.ts';
import type { Contents } from '../../node/contents.ts';
import { contentDifferences } from '../../trace/namespace-check.ts';
import type { Finding as Difference } from '../../trace/trace.ts';
import { insideIfThere } from '../facts/inside-all.ts';
import { containerText, type MadeAttachment, madeAttachments } from '../facts/made-attachments.ts';
import { sharedAddresses } from '../facts/shared-addresses.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';
import { objectOfAddress } from './addresses.ts';

export const interfaceDiffers: Rule = {
  id: 'D033',
  name: 'interface-differs',
  severity: 'error',
  summary: 'A container has not the interface, addresses or routes that its ADD answered.',
  meaning: 'the pod reaches nobody, or not everybody, though its network was set up',
  async find(survey) {
    const differing = await foundTwice(survey, differingInterfaces, ({ made, all }) =>
      [containerText(made), ...all.map(({ message }) => message)].join('\n'),
    );
    return differing.map((one) => found(one, survey));
  },
};

interface Differing {
  readonly made: MadeAttachment;
  readonly all: readonly Difference[];
}

function differingInterfaces(survey: Survey): Differing[] {
  return survey
    .each(madeAttachments(survey), (made) => {
      const contents = insideIfThere(survey, made.netns);
      if (contents === undefined || isElsewhere(made, contents)) return [];
      const hasOwnRoutes = made.plugins.every(({ type }) => leavesRoutes.has(type));
      const all = [
        ...linksDown(made, contents.links),
        ...contentDifferences(made.result, { path: made.netns, ...contents }, 'result').filter(
          ({ rule }) => hasOwnRoutes || rule !== 'missing-route',
        ),
      ];
      return all.length === 0 ? [] : [{ made, all }];
    })
    .flat();
}

/** To another table. */
const movesRoutes = new Set(['sbr', 'vrf']);

/** Others may have moved the routes that they pass on, too. */
const leavesRoutes = new Set([
  ...['bandwidth', 'bridge', 'debug', 'dummy', 'firewall', 'flannel', 'host-device', 'host-local'],
  ...['host-routes', 'ipvlan', 'loopback', 'macvlan', 'portmap', 'ptp', 'tap', 'tuning', 'vlan'],
]);

/**
 * Whether what ADD answered is not the kernel's to keep here: plugins we do not know, and `host-device`, may give a device
 * to user space, and a container may make its interface a port of something that has the address in its place.
 */
function isElsewhere({ plugins, ifName }: MadeAttachment, { links }: Contents): boolean {
  const link = links.find(({ name }) => name === ifName);
  if (link === undefined) return plugins.some(({ type }) => type === 'host-device' || !isKnown(type));
  const master = links.find(({ index }) => index === link.master);
  return master !== undefined && master.kind !== 'vrf';
}

function isKnown(type: string): boolean {
  return leavesRoutes.has(type) || movesRoutes.has(type);
}

/** Those that have an address in the result: others may be meant so. */
function linksDown(
  { result, netns }: MadeAttachment,
  links: readonly { readonly name: string; readonly up: boolean }[],
): Difference[] {
  const { interfaces = [], ips = [] } = result;
  const addressed = new Set(ips.map((entry) => entry.interface));
  return interfaces.flatMap(({ name, sandbox }, index) => {
    if (!sandbox || !addressed.has(index) || links.find((link) => link.name === name)?.up !== false)
      return [];
    return [
      { rule: 'link-down', object: `result.interfaces[${index}]`, message: `"${name}" in ${netns} is down` },
    ];
  });
}

function found({ made, all }: Differing, survey: Survey): Draft {
  const [first] = all as [Difference];
  const commands = all.map((one) => commandsFor(one, made));
  const isWhole = commands.every((one) => one !== undefined);
  const shared = sharedAddresses(survey).filter(({ sharers }) =>
    sharers.some(({ who }) => who === containerText(made)),
  );
  return {
    object: containerText(made),
    cause: `${first.message.replace(/^result\.[^:]*: /, '')}${all.length > 1 ? `, and ${all.length - 1} more` : ''}`,
    evidence: [
      ...all.map(({ message, rule }) => ({
        source: `nsenter --net=${shellWord(made.netns)} ${shows[rule] ?? 'ip link'}`,
        text: message,
      })),
      {
        source: made.path,
        text: `"ips": ${JSON.stringify((made.result.ips ?? []).map(({ address }) => address))}`,
      },
    ],
    fix: isWhole ? commands.map((one) => one?.fix ?? '') : ['start the pod anew'],
    undo: isWhole ? commands.map((one) => one?.undo ?? '').reverse() : [],
    // Who took another's address has lost its own.
    follows: shared.map(({ address }) => ({ id: 'D024', object: objectOfAddress(address) })),
  };
}

const shows: Readonly<Record<string, string>> = {
  'missing-address': 'ip address',
  'missing-route': 'ip route show table all',
};

/** Undefined for what no command can put back. */
function commandsFor(
  { rule, object }: Difference,
  { result, netns, ifName }: MadeAttachment,
): { fix: string; undo: string } | undefined {
  const index = Number(/\[(\d+)\]/.exec(object)?.[1]);
  const inside = `nsenter --net=${shellWord(netns)} ip`;
  if (rule === 'link-down') {
    const name = result.interfaces?.[index]?.name ?? ifName;
    return {
      fix: `${inside} link set ${shellWord(name)} up`,
      undo: `${inside} link set ${shellWord(name)} down`,
    };
  }
  if (rule === 'missing-address') {
    const { address = '', interface: position = -1 } = result.ips?.[index] ?? {};
    const name = result.interfaces?.[position]?.name ?? ifName;
    return {
      fix: `${inside} address add ${shellWord(address)} dev ${shellWord(name)}`,
      undo: `${inside} address del ${shellWord(address)} dev ${shellWord(name)}`,
    };
  }
  if (rule !== 'missing-route') return undefined;
  const { dst = '', gw = '' } = result.routes?.[index] ?? {};
  const cidr = parseCidr(dst);
  const gateway =
    gw || (result.ips ?? []).find(({ gateway = '' }) => gateway.includes(':') === dst.includes(':'))?.gateway;
  if (cidr === undefined) return undefined;
  const route = `${formatCidr(networkOf(cidr))}${gateway ? ` via ${shellWord(gateway)}` : ''} dev ${shellWord(ifName)}`;
  return { fix: `${inside} route add ${route}`, undo: `${inside} route del ${route}` };
}

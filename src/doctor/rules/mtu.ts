import { integerOf } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import type { Link } from '../../kernel/netlink/link.ts';
import type { Route } from '../../kernel/netlink/route.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { insideIfThere } from '../facts/inside-all.ts';
import { containerText, type MadeAttachment } from '../facts/made-attachments.ts';
import { type Bridged, bridgedAttachments } from '../facts/node-bridges.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const mtuDiffers: Rule = {
  id: 'D027',
  name: 'mtu-differs',
  severity: 'warning',
  summary: 'The MTU of a container is not that of the links on its way.',
  meaning: 'small packets pass and large ones vanish: connections begin and then hang',
  *find(survey) {
    const found = survey.each(bridgedAttachments(survey), (bridged) => differences(survey, bridged)).flat();
    for (const same of grouped(found, ({ kind, at, network }) => `${kind} ${at} ${network}`).values())
      yield* draftOf(same);
  },
};

/** Where a packet of the container's size does not fit, or one of the node's does not fit into the container. */
interface Difference {
  readonly kind: 'veth' | 'bridge' | 'configuration' | 'uplink';
  /** The link or the file that says another MTU. */
  readonly at: string;
  readonly mtu: number;
  readonly network: string;
  readonly bridge: string;
  readonly container: string;
  readonly netns: string;
  readonly ifName: string;
  readonly inside: number;
}

function differences(survey: Survey, { made, facts, bridge, port }: Bridged): Difference[] {
  const { network, netns, ifName, path } = made;
  const link = insideIfThere(survey, netns)?.links.find(({ name }) => name === ifName);
  if (link === undefined) return [];
  const whose = { network, netns, ifName, bridge: facts.bridge, container: containerText(made) };
  const inside = link.mtu;
  const all: Difference[] = [];
  const compare = (kind: Difference['kind'], at: string, mtu: number) => {
    if (mtu !== inside) all.push({ ...whose, kind, at, mtu, inside });
  };
  const tuned = tunedMtu(made);
  // Who gives the container's end alone an MTU wants it to differ.
  if (port !== undefined && inside !== tuned) compare('veth', port.name, port.mtu);
  if (bridge !== undefined && inside !== tuned) compare('bridge', bridge.name, bridge.mtu);
  const configured = tuned ?? facts.mtu;
  if (configured !== 0) compare('configuration', path, configured);
  const uplink = uplinkOf(survey);
  // A larger one is nothing wrong.
  if (uplink !== undefined && uplink.mtu < inside) compare('uplink', uplink.name, uplink.mtu);
  return all;
}

/** What a `tuning` behind `bridge` has given the container's interface. */
function tunedMtu({ plugins }: MadeAttachment): number | undefined {
  const mtus = plugins.flatMap(({ type, document }) =>
    type === 'tuning' ? (integerOf(lookUp(document, 'mtu')) ?? []) : [],
  );
  return mtus.findLast((mtu) => mtu > 0);
}

/** The link of the default route that is taken first. */
function uplinkOf(survey: Survey): Link | undefined {
  const { routes, links } = survey.host();
  const [first] = routes
    .filter(({ dst, table, oif }) => dst === '0.0.0.0/0' && table === RT_TABLE_MAIN && oif !== undefined)
    .sort((one: Route, other: Route) => (one.priority ?? 0) - (other.priority ?? 0));
  return links.find(({ index }) => index === first?.oif);
}

/** include/uapi/linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;

function draftOf(same: readonly Difference[]): Draft[] {
  const [first] = same;
  if (first === undefined) return [];
  const { kind, at, mtu, network, bridge } = first;
  const whose = same.length === 1 ? first.container : `${same.length} containers`;
  const sizes = [...new Set(same.map(({ inside }) => inside))].join(', ');
  const there = {
    source: kind === 'configuration' ? at : `ip link show ${shellWord(at)}`,
    text: `mtu ${mtu}`,
  };
  const evidence = [
    kind === 'configuration' ? { ...there, text: `"mtu": ${mtu}` } : there,
    ...same.slice(0, mostShown).map(({ netns, ifName, inside, container }) => ({
      source: `nsenter --net=${shellWord(netns)} ip link show ${shellWord(ifName)}`,
      text: `mtu ${inside} (${container})`,
    })),
  ];
  const [size] = sizes.split(', ');
  if (kind === 'uplink') {
    return [
      {
        ...{ object: `network ${network}`, severity: 'info', evidence },
        cause: `${whose} may send packets of ${sizes} bytes, and the node's way out, "${at}", takes ${mtu}`,
        meaning:
          'large packets depend on the ICMP errors that say so: where a firewall drops these, connections begin and then hang',
        fix: [`set "mtu": ${mtu} in the configuration of network ${network}, and start its pods anew`],
      },
    ];
  }
  if (kind === 'configuration') {
    return [
      {
        ...{ object: `network ${network}`, evidence },
        cause: `${whose} has MTU ${sizes}, and was to have ${mtu}`,
        fix: same
          .slice(0, mostShown)
          .map(
            ({ netns, ifName }) =>
              `nsenter --net=${shellWord(netns)} ip link set ${shellWord(ifName)} mtu ${mtu}`,
          ),
        undo: same
          .slice(0, mostShown)
          .map(
            ({ netns, ifName, inside }) =>
              `nsenter --net=${shellWord(netns)} ip link set ${shellWord(ifName)} mtu ${inside}`,
          ),
      },
    ];
  }
  const what = kind === 'veth' ? `the node's end, "${at}", of its veth` : 'the bridge';
  return [
    {
      ...{ object: kind === 'veth' ? first.container : `bridge ${bridge}`, evidence },
      cause: `${what} has MTU ${mtu}, and ${whose} ${sizes}`,
      ...(kind === 'veth' ? { severity: 'error' as const } : {}),
      fix: sizes.includes(',')
        ? [
            `give all of them one MTU: "mtu" in the configuration of network ${network}, then start its pods anew`,
          ]
        : [`ip link set ${shellWord(at)} mtu ${size}`],
      undo: sizes.includes(',') ? [] : [`ip link set ${shellWord(at)} mtu ${mtu}`],
    },
  ];
}

const mostShown = 3;

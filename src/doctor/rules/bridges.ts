import { PORT_FORWARDING } from '../../kernel/netlink/port-state.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { insideIfThere } from '../facts/inside-all.ts';
import { containerText } from '../facts/made-attachments.ts';
import { type Bridged, bridgedAttachments } from '../facts/node-bridges.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import { foundTwice } from '../second-look.ts';
import type { Survey } from '../survey.ts';

export const bridgeDown: Rule = {
  id: 'D026',
  name: 'bridge-down',
  severity: 'error',
  summary: 'A bridge that containers are on is gone or down, or lets no frames of theirs through.',
  meaning: 'these pods reach nobody, and nobody reaches them',
  async find(survey) {
    const silent = await foundTwice(survey, silentPorts, ({ container, reason }) => `${container} ${reason}`);
    return [...grouped(silent, ({ bridge, reason }) => `${bridge} ${reason}`).values()].flatMap(found);
  },
};

/** A container whose frames the bridge does not pass on. */
interface SilentPort {
  readonly bridge: string;
  /** `container web eth0` */
  readonly container: string;
  /** The cached result that says that it is on that bridge. */
  readonly path: string;
  readonly reason: 'missing' | 'down' | 'port-down' | 'no-port' | 'no-frames';
  /** The node's end, where that is the reason. */
  readonly port: string | undefined;
}

function silentPorts(survey: Survey): SilentPort[] {
  return survey
    .each(bridgedAttachments(survey), (bridged) => {
      const reason = reasonOf(survey, bridged);
      if (reason === undefined) return [];
      const { made, facts, port } = bridged;
      const container = containerText(made);
      return [{ bridge: facts.bridge, container, path: made.path, reason, port: port?.name }];
    })
    .flat();
}

function reasonOf(survey: Survey, { made, bridge, port }: Bridged): SilentPort['reason'] | undefined {
  if (bridge === undefined) return 'missing';
  if (!bridge.up) return 'down';
  const inside = insideIfThere(survey, made.netns)?.links.find(({ name }) => name === made.ifName);
  // Then it is the container's end that is to be mended.
  if (port === undefined || inside === undefined || !inside.up) return undefined;
  if (port.master !== bridge.index) return 'no-port';
  if (!port.up) return 'port-down';
  return port.port === undefined || port.port.state === PORT_FORWARDING ? undefined : 'no-frames';
}

function found(silent: readonly SilentPort[]): Draft[] {
  const [first] = silent;
  if (first === undefined) return [];
  const { bridge, reason } = first;
  const whose = silent.length === 1 ? first.container : `${silent.length} containers`;
  const shown = silent.slice(0, mostShown);
  const ports = shown.flatMap(({ port }) => port ?? []);
  const object = `bridge ${bridge}`;
  const files = shown.map(({ path, container }) => ({
    source: path,
    text: `${container} is on "${bridge}"`,
  }));
  const links = ports.map((port) => ({
    source: `ip -details link show ${shellWord(port)}`,
    text: sights[reason],
  }));
  if (reason === 'missing') {
    return [
      {
        ...{ object, cause: `it is not there, and ${whose} should be on it` },
        evidence: [
          { source: `ip link show ${shellWord(bridge)}`, text: `Device "${bridge}" does not exist.` },
          ...files,
        ],
        fix: [`start the pods on it anew: ${bridge} is made by the next ADD`],
      },
    ];
  }
  if (reason === 'down') {
    return [
      {
        ...{ object, cause: `it is down, with ${whose} on it` },
        evidence: [{ source: `ip link show ${shellWord(bridge)}`, text: 'state DOWN' }, ...files],
        fix: [`ip link set ${shellWord(bridge)} up`],
        undo: [`ip link set ${shellWord(bridge)} down`],
      },
    ];
  }
  return [
    {
      ...{ object, cause: `${words[reason]}: ${whose}` },
      evidence: [...links, ...files],
      ...mends[reason](
        bridge,
        silent.flatMap(({ port }) => port ?? []),
      ),
    },
  ];
}

const mostShown = 3;

const words = {
  'no-port': 'the node’s end of an interface is no port of it',
  'port-down': 'the node’s end of an interface is down',
  'no-frames': 'a port does not forward',
} as const;

const sights: Record<SilentPort['reason'], string> = {
  ...{ missing: '', down: '' },
  ...{ 'no-port': 'no master, or another one', 'port-down': 'state DOWN', 'no-frames': 'not forwarding' },
};

type Mend = (bridge: string, ports: readonly string[]) => Pick<Draft, 'fix' | 'undo'>;

const mends: Record<keyof typeof words, Mend> = {
  'no-port': (bridge, ports) => ({
    fix: ports.map((port) => `ip link set ${shellWord(port)} master ${shellWord(bridge)}`),
    undo: ports.map((port) => `ip link set ${shellWord(port)} nomaster`),
  }),
  'port-down': (_, ports) => ({
    fix: ports.map((port) => `ip link set ${shellWord(port)} up`),
    undo: ports.map((port) => `ip link set ${shellWord(port)} down`),
  }),
  'no-frames': (bridge, ports) => ({
    fix: [
      `look which of them is blocked, and why (spanning tree, or a carrier that is missing): ip -details link show master ${shellWord(bridge)}`,
      ...ports.map((port) => `ip link set ${shellWord(port)} type bridge_slave state 3`),
    ],
  }),
};

import type { Evidence } from '../../findings/finding.ts';
import type { Stop, Sysctl } from '../../path/stop.ts';
import { containerText } from '../facts/made-attachments.ts';
import { type TestedWay, testedWays } from '../facts/test-packets.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const forwardingOff: Rule = {
  id: 'D028',
  name: 'forwarding-off',
  severity: 'error',
  summary: 'The node does not pass on what its containers send: forwarding is off.',
  meaning: 'pods reach the node and each other on one bridge, and nobody else',
  *find(survey) {
    for (const [family, ways] of grouped(stoppedBy(survey, 'forwarding-off'), (way) => `IPv${way.family}`)) {
      const settings = settingsOf(ways);
      yield {
        object: 'node',
        cause: `forwarding of ${family} is off: ${settings.map(settingText).join(', ')}`,
        evidence: ways.flatMap(proofOf),
        // That of the node sets those of all links; theirs count where it is on.
        ...switchedOn(settings.find(({ value }) => value === '0')),
      };
    }
  },
};

export const reversePathFilter: Rule = {
  id: 'D029',
  name: 'reverse-path-filter',
  severity: 'error',
  summary:
    'The node throws away what containers send, because its route to them leads elsewhere (`rp_filter`).',
  meaning: 'what these pods send is dropped without a word',
  *find(survey) {
    const ways = stoppedBy(survey, 'reverse-path');
    if (ways.length === 0) return;
    const settings = settingsOf(ways);
    yield {
      object: 'node',
      cause: `packets from ${[...new Set(ways.map(({ from }) => from))].join(', ')} are dropped: ${ways[0]?.stop.text}`,
      evidence: ways.flatMap(proofOf),
      fix: [
        `see which route takes their place, and remove it if it is not meant: ip route get ${ways[0]?.from}`,
        ...settings.filter(({ value }) => value === '1').map(({ name }) => `sysctl -w ${name}=2`),
      ],
      undo: settings.filter(({ value }) => value === '1').map(({ name }) => `sysctl -w ${name}=1`),
    };
  },
};

interface StoppedWay extends TestedWay {
  readonly stop: Stop;
}

/** Those that the kernel's own counter says it of: a setting alone may be without effect. */
function stoppedBy(survey: Survey, cause: Stop['cause']): StoppedWay[] {
  return testedWays(survey).flatMap((way) => {
    if (way.test.outcome !== 'stopped') return [];
    const { stop } = way.test;
    return stop.cause === cause && stop.counter !== undefined ? [{ ...way, stop }] : [];
  });
}

/** What was sent, and what the kernel counted meanwhile. */
function proofOf(way: StoppedWay): Evidence[] {
  const { stop } = way;
  return [
    { source: packetText(way), text: `it was stopped: ${stop.text}` },
    ...(stop.counter === undefined
      ? []
      : [
          {
            source: `/proc/net/netstat, snmp and snmp6`,
            text: `${stop.counter.name} ${stop.counter.before} -> ${stop.counter.after}`,
          },
        ]),
    ...(stop.sysctls ?? []).map((one) => ({ source: `sysctl ${one.name}`, text: settingText(one) })),
  ];
}

/** For evidence: whose packet it was. */
export function packetText({ made, from, target }: TestedWay): string {
  return `a datagram of ${containerText(made)} from ${from} to ${target}, kept on the node`;
}

function settingsOf(ways: readonly StoppedWay[]): Sysctl[] {
  const all = ways.flatMap(({ stop }) => stop.sysctls ?? []);
  return [...new Map(all.map((one) => [one.name, one])).values()];
}

function settingText({ name, value }: Sysctl): string {
  return `${name} = ${value}`;
}

function switchedOn(setting: Sysctl | undefined): Pick<Draft, 'fix' | 'undo'> {
  if (setting === undefined) return {};
  const { name, value } = setting;
  return { fix: [`sysctl -w ${name}=1`], undo: [`sysctl -w ${name}=${value}`] };
}

import { readFileSync } from 'node:fs';
import { shellWord } from '../../lint/shell-word.ts';
import { type Dropping, droppingText } from '../../path/dropping.ts';
import type { Stop } from '../../path/stop.ts';
import { type TestedWay, testedWays } from '../facts/test-packets.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';
import { packetText } from './forwarding.ts';

export const bridgeNetfilterDrops: Rule = {
  id: 'D030',
  name: 'bridge-netfilter-drops',
  severity: 'error',
  summary: 'The firewall drops packets between two containers of one bridge (`bridge-nf-call-iptables`).',
  meaning: 'pods of this node do not reach each other, though they are on one bridge',
  *find(survey) {
    for (const way of dropped(survey, 'neighbour')) {
      const setting = bridgeSetting(way.family);
      const value = see(setting, () => readFileSync(`/proc/sys/${setting}`, 'utf8').trim());
      // In a chain of the bridge family it would be dropped without that, too.
      if (way.stop.layer !== 'ip' || value !== '1') continue;
      const draft = found(way, `packets between its containers are dropped: ${droppingText(way.rule)}`);
      yield {
        ...draft,
        evidence: [...draft.evidence, { source: `/proc/sys/${setting}`, text: value }],
        // What lets these through need not let through what goes out, but what drops all drops them, too.
        follows: [{ id: 'D031', object: `network ${way.network}` }],
      };
    }
  },
};

export const forwardDropped: Rule = {
  id: 'D031',
  name: 'forward-dropped',
  severity: 'error',
  summary: 'The firewall drops what containers send to other networks.',
  meaning: 'pods of the network reach nobody outside of it',
  *find(survey) {
    for (const way of dropped(survey, 'outside'))
      yield found(way, `what its containers send to other networks is dropped: ${droppingText(way.rule)}`);
  },
};

export const notMasqueraded: Rule = {
  id: 'D036',
  name: 'not-masqueraded',
  severity: 'error',
  summary:
    'Packets leave the node with the address of the container, though the network is to be masqueraded.',
  meaning: 'nobody outside knows the way back: connections of the pods to other networks time out',
  *find(survey) {
    for (const way of testedWays(survey)) {
      const { test, network, isToBeMasqueraded, made } = way;
      if (!isToBeMasqueraded || test.outcome !== 'forwarded' || test.isMasqueraded) continue;
      yield {
        object: `network ${network}`,
        cause: `a packet from ${way.from} would leave the node as it is, not with the node's address`,
        evidence: [
          {
            source: packetText(way),
            text: `it would have left from ${test.packet.source} to ${test.packet.target}`,
          },
          { source: made.path, text: '"ipMasq": true' },
        ],
        fix: [
          'see what keeps its connections from NAT (notrack, or a rule that accepts them before): nft list ruleset',
        ],
        follows: [{ id: 'D023', object: `network ${network}` }],
      };
    }
  },
};

interface DroppedWay extends TestedWay {
  readonly stop: Stop;
  readonly rule: Dropping;
}

/** By a rule or policy that the kernel has named, unless that may have meant our packet more than the network's. */
function dropped(survey: Survey, to: TestedWay['to']): DroppedWay[] {
  return testedWays(survey).flatMap((way) => {
    if (way.to !== to || way.test.outcome !== 'stopped') return [];
    const { stop } = way.test;
    const isOfRule = stop.cause === 'rule' || stop.cause === 'policy';
    if (!isOfRule || stop.rule === undefined || isAboutTest(stop.rule) || isOfOthers(stop.rule)) return [];
    return [{ ...way, stop, rule: stop.rule }];
  });
}

/** A firewall may well drop what goes to networks for documentation, to sets of such, or to the port of our packet. */
function isAboutTest({ text }: Dropping): boolean {
  return (
    /daddr @/.test(text) ||
    /daddr (192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2001:db8:|3fff:)/.test(text) ||
    /\b(dport|sport|udp|l4proto)\b/.test(text)
  );
}

/** Chains of network policies, whose programs know why; and of `firewall`, whose `ingressPolicy` asks for it. */
function isOfOthers({ chain, table }: Dropping): boolean {
  return (
    /^(CNI-ISOLATION|cali-|KUBE-NWPLCY|KUBE-POD-FW|KUBE-ROUTER|CILIUM|OVN|WEAVE)/i.test(chain) ||
    /^(calico|cilium)/i.test(table)
  );
}

function bridgeSetting(family: 4 | 6): string {
  return `net/bridge/bridge-nf-call-${family === 4 ? 'iptables' : 'ip6tables'}`;
}

function found(way: DroppedWay, cause: string): Draft {
  const { stop, rule, network } = way;
  return {
    object: `network ${network}`,
    cause,
    evidence: [
      { source: packetText(way), text: `it was stopped in ${stop.hook}: ${stop.text}` },
      {
        source: listCommand(rule),
        text:
          stop.counter === undefined
            ? `${rule.text} (it counts nothing; the kernel's trace names it)`
            : `packets ${stop.counter.before} -> ${stop.counter.after}`,
      },
    ],
    ...mendOf(way),
  };
}

function listCommand({ family, table, chain, isLegacy }: Dropping): string {
  return isLegacy
    ? `${legacyOf(family)} -t ${table} -L ${shellWord(chain)} -v -n --line-numbers`
    : `nft --handle list chain ${family} ${shellWord(table)} ${shellWord(chain)}`;
}

function legacyOf(family: string): string {
  return family === 'ip6' ? 'ip6tables-legacy' : 'iptables-legacy';
}

/** Accepts come first in the chain that drops; nothing of its owner's is removed. */
function mendOf({ rule, bridge, to }: DroppedWay): Pick<Draft, 'fix' | 'undo'> {
  const { family, table, chain, isLegacy } = rule;
  if (bridge === undefined) return { fix: [`let them through: ${listCommand(rule)}`] };
  const isIptables =
    isLegacy || ((family === 'ip' || family === 'ip6') && table === 'filter' && chain === 'FORWARD');
  if (isIptables) {
    const iptables = isLegacy ? legacyOf(family) : family === 'ip6' ? 'ip6tables' : 'iptables';
    const name = shellWord(bridge);
    const rules =
      to === 'neighbour'
        ? [`-i ${name} -o ${name} -j ACCEPT`]
        : [`-i ${name} -j ACCEPT`, `-o ${name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`];
    return {
      fix: rules.map((one) => `${iptables} -t ${table} -I ${shellWord(chain)} ${one}`),
      undo: rules.map((one) => `${iptables} -t ${table} -D ${shellWord(chain)} ${one}`),
    };
  }
  const rules =
    to === 'neighbour'
      ? [`iifname "${bridge}" oifname "${bridge}" accept`]
      : [`iifname "${bridge}" accept`, `oifname "${bridge}" ct state established,related accept`];
  return {
    fix: rules.map((one) => `nft ${shellWord(`insert rule ${family} ${table} ${chain} ${one}`)}`),
    undo: rules.map((one) => {
      const place = `${family} ${shellWord(table)} ${shellWord(chain)}`;
      const handles = `nft --handle list chain ${place} | sed -n ${shellWord(`s/^[[:space:]]*${one} # handle \\([0-9]*\\)$/\\1/p`)}`;
      return `${handles} | xargs -n 1 nft delete rule ${place} handle`;
    }),
  };
}

import { type LegacyRule, listLegacyRules } from '../kernel/legacy-iptables.ts';
import type { Namespace } from '../kernel/netns.ts';
import { type Dropping, droppingText } from './dropping.ts';
import type { Stop } from './stop.ts';

/**
 * Has the same packet sent again, and looks which counter of a rule or policy it moves: that of the one which the kernel has
 * reported, or of the one of iptables-legacy, which the kernel does not report, and which only its counter tells from the
 * others. Nothing is sent where no counter can tell more. Throws NetlinkError and SystemError.
 */
export function proveStop(
  stop: Stop,
  family: 4 | 6,
  namespace: Namespace | undefined,
  again: () => Stop | undefined,
): Stop {
  if (stop.cause === 'unreported') return legacyStop(stop, family, namespace, again);
  const { rule } = stop;
  if (rule?.packets === undefined) return stop;
  const after = again()?.rule;
  if (after?.packets === undefined || !isSame(rule, after)) return stop;
  const counter = { name: `packets of ${droppingText(rule)}`, before: rule.packets, after: after.packets };
  return { ...stop, rule: after, counter };
}

function isSame(one: Dropping, other: Dropping): boolean {
  return (['kind', 'family', 'table', 'chain', 'handle'] as const).every((key) => one[key] === other[key]);
}

function legacyStop(
  stop: Stop,
  family: 4 | 6,
  namespace: Namespace | undefined,
  again: () => Stop | undefined,
): Stop {
  const before = listLegacyRules(family, namespace);
  if (before.length === 0) return stop;
  again();
  const after = listLegacyRules(family, namespace);
  // Other packets move the counters of rules that let them through, and of some that do not.
  const moved = after.flatMap((rule, index) => {
    const was = before[index];
    const isMoved = was !== undefined && was.text === rule.text && was.packets < rule.packets;
    return isMoved && !PASSING.includes(rule.target) && isVerdict(rule, after) ? [{ rule, was }] : [];
  });
  const [only] = moved.filter(({ rule }) => isIn(rule, stop.hook, after));
  if (only === undefined) return stop;
  const { rule, was } = only;
  const dropping: Dropping = {
    kind: rule.number === undefined ? 'policy' : 'rule',
    family: family === 4 ? 'ip' : 'ip6',
    ...{ table: rule.table, chain: rule.chain, verdict: 'drop', text: rule.text },
    ...(rule.number === undefined ? {} : { handle: rule.number }),
    isLegacy: true,
    packets: rule.packets,
  };
  const text = droppingText(dropping);
  const counter = { name: `packets of ${text}`, before: was.packets, after: rule.packets };
  return { ...stop, cause: dropping.kind, text, rule: dropping, counter };
}

const PASSING = [
  'ACCEPT',
  'RETURN',
  'LOG',
  'MARK',
  'CONNMARK',
  'TCPMSS',
  'CT',
  'NFLOG',
  'MASQUERADE',
  'SNAT',
  'DNAT',
];

/** Not a jump to a chain of the user's. */
function isVerdict({ target, table }: LegacyRule, all: readonly LegacyRule[]): boolean {
  return !all.some((one) => one.table === table && one.chain === target);
}

/** The hook's own chain, or one of the user's, which may be anywhere. */
function isIn({ chain }: LegacyRule, hook: Stop['hook'], all: readonly LegacyRule[]): boolean {
  const isBase = all.some((one) => one.chain === chain && one.number === undefined);
  return !isBase || chain === hook?.toUpperCase();
}

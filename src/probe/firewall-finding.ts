import type { Evidence, Finding } from '../findings/finding.ts';
import { chainPlace, type Dropping } from '../path/dropping.ts';
import type { Stop } from '../path/stop.ts';
import { enter } from './enter.ts';
import { nodeLink } from './node-link.ts';
import type { ProbeRun } from './probe-run.ts';
import { finding } from './rules.ts';
import type { Stopped } from './stop-finding.ts';

/** P001: a rule or a policy of a firewall has dropped a packet, or something has that does not say what it is. */
export function droppedBy(
  run: ProbeRun,
  stop: Stop,
  { what, where }: Stopped,
  evidence: readonly Evidence[],
): Finding {
  const { rule, hook, text } = stop;
  const inside = where === 'container';
  const prefix = inside ? enter(run.subject) : '';
  const at = inside ? `in container ${run.subject.name}, ` : '';
  const meaning =
    stop.cause === 'queue'
      ? 'a program gets the packet, and does not give it back'
      : 'packets like this one are thrown away, whatever the container does';
  return finding('P001', {
    object: at + (rule === undefined ? `hook ${hook ?? 'output'}` : chainPlace(rule)),
    cause: rule === undefined ? `${what}: ${text}` : `${what} is dropped by ${text}`,
    evidence,
    meaning,
    ...(rule === undefined
      ? { fix: [`${prefix}iptables-legacy-save`, `${prefix}ip6tables-legacy-save`, `${prefix}ipvsadm -ln`] }
      : mendOf(rule, prefix, hook === 'forward' && !inside ? nodeLink(run) : undefined)),
  });
}

/** Rules are somebody's, so they are shown first. `link` is the one by which the container's packets are forwarded. */
function mendOf(rule: Dropping, prefix: string, link: string | undefined): Pick<Finding, 'fix' | 'undo'> {
  return rule.isLegacy ? legacyMend(rule, prefix, link) : nftMend(rule, prefix, link);
}

function legacyMend({ family, table, chain }: Dropping, prefix: string, link: string | undefined) {
  const command = `${prefix}${family === 'ip6' ? 'ip6tables' : 'iptables'}-legacy -t ${table}`;
  const accepting = link === undefined ? [''] : [` -i ${link}`, ` -o ${link}`];
  return {
    fix: [
      `${command} -vnL ${chain} --line-numbers`,
      ...accepting.map((match) => `${command} -I ${chain}${match} -j ACCEPT`),
    ],
    undo: accepting.map((match) => `${command} -D ${chain}${match} -j ACCEPT`),
  };
}

function nftMend(rule: Dropping, prefix: string, link: string | undefined) {
  const name = `${rule.family} ${rule.table} ${rule.chain}`;
  const show = `${prefix}nft -a list chain ${name}`;
  if (rule.kind === 'rule')
    return {
      fix: [show, `${prefix}nft delete rule ${name} handle ${rule.handle}`],
      undo: [`${prefix}nft 'add rule ${name} ${rule.text}'`],
    };
  const accepting = link === undefined ? [''] : [`iifname ${link} `, `oifname ${link} `];
  return {
    fix: [show, ...accepting.map((match) => `${prefix}nft insert rule ${name} ${match}accept`)],
    undo: [show, `${prefix}nft delete rule ${name} handle NUMBER`],
  };
}

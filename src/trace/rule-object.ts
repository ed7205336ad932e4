import { decodeRule, type Rule } from '../kernel/netlink/rule.ts';
import { type Found, knownValues } from './change.ts';

/** A routing rule as an object to compare; undefined for other families than IP's. Throws MalformedMessageError. */
export function ruleObject(payload: Buffer): Found | undefined {
  const rule = decodeRule(payload);
  if (rule === undefined) return undefined;
  const { family, protocol } = rule;
  const values = knownValues({
    family: family === 6 ? 'ipv6' : 'ipv4',
    protocol: protocol === undefined || protocol === 0 ? undefined : (ROUTE_PROTOCOLS[protocol] ?? protocol),
  });
  return { kind: 'rule', object: ruleWords(rule), values, key: `rule ${family} ${ruleWords(rule)}` };
}

/** As `ip rule` writes it: `32765: from 10.22.0.5/32 lookup 100`. */
function ruleWords(rule: Rule): string {
  const { priority = 0, inverted, src, dst, iif, oif, mark, mask, tos, l3mdev, action, table } = rule;
  const words = [
    inverted === true ? 'not' : '',
    `from ${src ?? 'all'}`,
    dst && `to ${dst}`,
    iif && `iif ${iif}`,
    oif && `oif ${oif}`,
    mark &&
      `fwmark 0x${mark.toString(16)}${mask === undefined || mask === 0xffff_ffff ? '' : `/0x${mask.toString(16)}`}`,
    tos && `tos 0x${tos.toString(16)}`,
    rule.ipProtocol && `ipproto ${rule.ipProtocol}`,
    rule.sport && `sport ${rule.sport}`,
    rule.dport && `dport ${rule.dport}`,
    rule.uid && `uidrange ${rule.uid}`,
    action === FR_ACT_TO_TBL
      ? `lookup ${l3mdev === true ? 'l3mdev' : (TABLES[table] ?? table)}`
      : `${RULE_ACTIONS[action] ?? `action ${action}`}${rule.goto === undefined ? '' : ` ${rule.goto}`}`,
    rule.suppressPrefixLength === undefined ? '' : `suppress_prefixlength ${rule.suppressPrefixLength}`,
  ];
  return `${priority}: ${words.filter((word) => word !== '' && word !== undefined && word !== 0).join(' ')}`;
}

/** RTPROT_* of include/uapi/linux/rtnetlink.h: who made a route or a rule. */
export const ROUTE_PROTOCOLS: Readonly<Record<number, string>> = {
  ...{ 1: 'redirect', 2: 'kernel', 3: 'boot', 4: 'static' },
};

/** include/uapi/linux/fib_rules.h and rtnetlink.h */
const FR_ACT_TO_TBL = 1;
const TABLES: Readonly<Record<number, string>> = { 253: 'default', 254: 'main', 255: 'local' };
const RULE_ACTIONS: Readonly<Record<number, string>> = {
  ...{ 2: 'goto', 3: 'nop', 6: 'blackhole', 7: 'unreachable', 8: 'prohibit' },
};

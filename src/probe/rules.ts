import type { Finding, Severity } from '../findings/finding.ts';

/** What a probe finds, by the IDs of its pages; one that goes is never given to another. */
const RULES = {
  P001: { rule: 'firewall-drops', severity: 'error' },
  P002: { rule: 'node-does-not-forward', severity: 'error' },
  P003: { rule: 'reverse-path-filter-drops', severity: 'error' },
  P004: { rule: 'no-route', severity: 'error' },
  P005: { rule: 'not-masqueraded', severity: 'error' },
  P006: { rule: 'gateway-silent', severity: 'error' },
  P007: { rule: 'path-mtu-smaller', severity: 'error' },
  P008: { rule: 'resolver-silent', severity: 'error' },
  P009: { rule: 'no-resolver', severity: 'error' },
  P010: { rule: 'connection-refused', severity: 'error' },
  P011: { rule: 'host-port-not-forwarded', severity: 'error' },
  P012: { rule: 'container-silent', severity: 'warning' },
  P013: { rule: 'interface-unusable', severity: 'error' },
  P014: { rule: 'no-answer', severity: 'error' },
  P015: { rule: 'route-refuses', severity: 'error' },
  P016: { rule: 'name-unknown', severity: 'error' },
} as const satisfies Readonly<Record<string, { rule: string; severity: Severity }>>;

export type RuleId = keyof typeof RULES;

/** A finding without what follows from its ID. */
export type Draft = Omit<Finding, 'id' | 'rule' | 'severity' | 'undo'> & {
  readonly severity?: Severity;
  readonly undo?: readonly string[];
};

export function finding(id: RuleId, draft: Draft): Finding {
  return { id, undo: [], ...RULES[id], ...draft };
}

export const ruleIds = Object.keys(RULES) as RuleId[];

import type { Finding } from '../findings/finding.ts';
import type { Mend } from './mend.ts';
import type { Draft, Rule } from './rule.ts';
import { rules } from './rules.ts';
import type { Survey } from './survey.ts';
import { Unseen } from './unseen.ts';

/** What all rules found. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** What may be done about some of them. */
  readonly mends: ReadonlyMap<Finding, Mend>;
  /** What could not be looked at, and why, a line each. */
  readonly unseen: readonly string[];
}

/** Asks every rule. A rule that fails hides nothing: what it could not look at is said. */
export async function examine(survey: Survey): Promise<Diagnosis> {
  const mends = new Map<Finding, Mend>();
  const findings: Finding[] = [];
  for (const rule of rules) {
    for (const { mend, ...draft } of await drafts(rule, survey)) {
      const finding = findingOf(rule, draft);
      findings.push(finding);
      if (mend !== undefined) mends.set(finding, mend);
    }
  }
  return { findings, mends, unseen: survey.unseen() };
}

async function drafts(rule: Rule, survey: Survey): Promise<Draft[]> {
  const found: Draft[] = [];
  try {
    for (const draft of await rule.find(survey)) found.push(draft);
  } catch (error) {
    // What it had found before is true all the same.
    const isKnown = error instanceof Unseen;
    const reason = error instanceof Error ? error.message : String(error);
    survey.overlook(isKnown ? error : new Unseen(`${rule.id} ${rule.name}`, reason, { cause: error }));
  }
  return found;
}

function findingOf({ id, name, severity, meaning }: Rule, draft: Omit<Draft, 'mend'>): Finding {
  return { id, rule: name, severity, meaning, fix: [], undo: [], ...draft };
}

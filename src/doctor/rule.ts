import type { Finding, Severity } from '../findings/finding.ts';
import type { Mend } from './mend.ts';
import type { Survey } from './survey.ts';

/** What a rule found, in its own words; the rest is the rule's. */
export interface Draft extends Omit<Finding, 'id' | 'rule' | 'severity' | 'meaning' | 'fix' | 'undo'> {
  /** Where this one weighs more or less than others of the rule. */
  readonly severity?: Severity;
  readonly meaning?: string;
  readonly fix?: readonly string[];
  readonly undo?: readonly string[];
  /** What `--fix` may do about it; absent where it must not be touched without a person. */
  readonly mend?: Mend;
}

export interface Rule {
  /** `D001`; that of a rule that is gone is never given to another. */
  readonly id: `D${string}`;
  /** In kebab-case. */
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong with what it finds, in one line. */
  readonly summary: string;
  /** What it means for pods. */
  readonly meaning: string;
  /**
   * Needs no journal: what records say is more evidence. Throws Unseen where what it needs as a whole cannot be looked
   * at; `survey.each` is for parts of it.
   */
  find(survey: Survey): Iterable<Draft> | Promise<Iterable<Draft>>;
}

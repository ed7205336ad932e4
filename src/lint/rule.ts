import type { LintContext } from './context.ts';
import type { Draft } from './finding.ts';

/** `error`: pods fail, or do not get what they were meant to. `warning`: some day, or on another node. */
export type Severity = 'error' | 'warning' | 'info';

export interface Rule {
  /** `L001`; that of a rule that is gone is never given to another. */
  readonly id: `L${string}`;
  /** In kebab-case. */
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong with what it finds, in one line. */
  readonly summary: string;
  /** Throws nothing for whatever stands in the files. */
  check(context: LintContext): Iterable<Draft>;
}

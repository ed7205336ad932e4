import type { Extent, Side } from './document.ts';
import type { LintedFile } from './linted-file.ts';
import type { Place } from './place.ts';
import type { Rule, Severity } from './rule.ts';

/** What a rule found, in its own words. */
export interface Draft {
  /** A file of the directory, or the directory itself by its path. */
  readonly file: LintedFile | string;
  /** Of the value that it is about; empty for the whole file. */
  readonly path?: string;
  /** Whether the caret goes under the name or the value at `path`; the value unless said. */
  readonly side?: Side;
  /** Where it stands, when no path can say that. */
  readonly extent?: Extent;
  readonly message: string;
  /** What to do, as an order: `chmod +x /opt/cni/bin/bridge`. */
  readonly fix: string;
  /** Further paths whose `wrong-value` says the same in other words, and is left out. */
  readonly covers?: readonly string[];
}

/** A draft with the rule that it is of, and its place. */
export interface Finding {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly file: string;
  readonly path: string;
  readonly message: string;
  readonly fix: string;
  /** The page on the rule, below the root of this repository. */
  readonly page: string;
  /** Absent where the whole file is meant, or the directory. */
  readonly place?: Place;
}

export function pageOf({ id }: Pick<Rule, 'id'>): string {
  return `docs/rules/${id}.md`;
}

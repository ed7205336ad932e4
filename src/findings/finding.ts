/** `error`: pods fail, or do not get what they were meant to. `warning`: some day. `info`: good to know. */
export type Severity = 'error' | 'warning' | 'info';

/** What was read, word for word, and where: a reader can look for himself. */
export interface Evidence {
  /** A file, a kernel interface, or the command that shows the same. */
  readonly source: string;
  readonly text: string;
}

/** What is wrong with one object, before it has found its place among the others. */
export interface Finding {
  /** `D001`; that of a rule that is gone is never given to another. */
  readonly id: string;
  /** The rule's name, in kebab-case. */
  readonly rule: string;
  readonly severity: Severity;
  /** `network lab`, `bridge cni0`, `container 3f2a eth0`. */
  readonly object: string;
  /** What is wrong with it, in one line. */
  readonly cause: string;
  readonly evidence: readonly Evidence[];
  /** When it began, as far as anything says that. */
  readonly since?: Date;
  /** What it means for pods. */
  readonly meaning: string;
  /** Commands that mend it, or what to do where no command can; in their order. */
  readonly fix: readonly string[];
  /** Commands that take the mend back. */
  readonly undo: readonly string[];
  /** Of what this is a consequence, if that is found, too; the first of these that is. */
  readonly follows?: readonly Reason[];
}

/** A finding of a rule, and only of one object where it is named. */
export interface Reason {
  readonly id: string;
  readonly object?: string;
}

/** The page on the rule, below the root of this repository. */
export function pageOf({ id }: Pick<Finding, 'id'>): string {
  return `docs/rules/${id}.md`;
}

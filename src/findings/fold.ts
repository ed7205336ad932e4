import type { Finding, Severity } from './finding.ts';

/** A finding with what follows from it. */
export interface Folded {
  readonly finding: Finding;
  readonly consequences: readonly Folded[];
}

/**
 * Root causes, the worst first, in the order in which they were found; what follows from one is below it. Each finding
 * is there once.
 */
export function fold(findings: readonly Finding[]): Folded[] {
  const parents = new Map(findings.map((finding) => [finding, parentOf(finding, findings)]));
  const roots = findings.filter((finding) => isRoot(finding, parents));
  const placed = new Set<Finding>();
  const folded = (finding: Finding): Folded => {
    placed.add(finding);
    const below = findings.filter((one) => parents.get(one) === finding && !placed.has(one));
    return { finding, consequences: byWeight(below).map(folded) };
  };
  return roots.map(folded).sort((one, other) => heaviest(one) - heaviest(other));
}

function parentOf(finding: Finding, findings: readonly Finding[]): Finding | undefined {
  for (const { id, object } of finding.follows ?? []) {
    const parent = findings.find(
      (one) => one !== finding && one.id === id && (object === undefined || one.object === object),
    );
    if (parent !== undefined) return parent;
  }
  return undefined;
}

/** Of a circle, which no rule should make, the first one found is the root. */
function isRoot(finding: Finding, parents: ReadonlyMap<Finding, Finding | undefined>): boolean {
  const seen = new Set<Finding>();
  let at = parents.get(finding);
  for (; at !== undefined && !seen.has(at); at = parents.get(at)) {
    if (at === finding) return isFirst(finding, seen, parents);
    seen.add(at);
  }
  return parents.get(finding) === undefined;
}

function isFirst(
  finding: Finding,
  circle: ReadonlySet<Finding>,
  parents: ReadonlyMap<Finding, Finding | undefined>,
): boolean {
  const [first] = [...parents.keys()].filter((one) => one === finding || circle.has(one));
  return first === finding;
}

function byWeight(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => weights[one.severity] - weights[other.severity]);
}

/** A root that is a warning stands as high as the errors that follow from it. */
function heaviest({ finding, consequences }: Folded): number {
  return Math.min(weights[finding.severity], ...consequences.map(heaviest));
}

const weights: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

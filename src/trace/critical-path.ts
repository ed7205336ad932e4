import { endOf, type LifeSpan } from './life-span.ts';

/** What takes less than this part of the whole is on the path, but not worth a mark. */
const worthwhile = 0.1;

/** Times of a record are rounded to the microsecond, those of several records to the millisecond. */
const tolerance = 0.002;

/**
 * The spans that the operation was as long as it was because of: from its end backwards, always the one that ended last
 * before the time that is explained so far. Of these, those that take a tenth of its time or more.
 */
export function criticalPath(operation: LifeSpan): ReadonlySet<LifeSpan> {
  const path = new Set<LifeSpan>([operation]);
  const least = operation.duration * worthwhile;
  const follow = (span: LifeSpan) => {
    let explained = endOf(span) + tolerance;
    for (const child of [...span.children].sort((one, other) => endOf(other) - endOf(one))) {
      if (endOf(child) > explained || child.duration < least) continue;
      explained = child.start + tolerance;
      path.add(child);
      follow(child);
    }
  };
  follow(operation);
  return path;
}

/** A copy in which the spans of the path are marked. */
export function withCriticalPath(operation: LifeSpan): LifeSpan {
  const path = criticalPath(operation);
  const marked = (span: LifeSpan): LifeSpan => ({
    ...span,
    isCritical: path.has(span),
    children: span.children.map(marked),
  });
  return marked(operation);
}

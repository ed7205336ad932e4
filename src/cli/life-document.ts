import { type Json, type JsonObject, newObject } from '../cni/json.ts';
import type { Life, Operation } from '../trace/life.ts';
import type { LifeSpan } from '../trace/life-span.ts';

/** What `trace --json` says of an attachment: the spans as the waterfall has them, times in ms. */
export function lifeDocument(life: Life, operations: readonly Operation[]): JsonObject {
  const { network, containerID, ifName, netns, pod } = life;
  return members({
    ...{ network, containerID, ifName, netns },
    pod: pod && members({ ...pod }),
    operations: operations.map((operation) =>
      members({
        traceID: operation.traceID,
        before: [...operation.before],
        behind: [...operation.behind],
        ...fieldsOf(operation),
      }),
    ),
  });
}

function fieldsOf(span: LifeSpan): Record<string, Json | undefined> {
  const { id, parentID, kind, name, start, duration, error, isTolerated, isOpen, isCritical, record } = span;
  return {
    ...{ id, parentID, kind, name, startedAt: new Date(start).toISOString() },
    // The date has no room for microseconds.
    ...{ start: rounded(start), duration: isOpen ? undefined : rounded(duration), error },
    ...{ tolerated: isTolerated || undefined, open: isOpen || undefined, critical: isCritical || undefined },
    record: record?.id,
    children: span.children.map((child) => members(fieldsOf(child))),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Without those that have no value. */
function members(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return newObject(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

import type { Operation } from '../../trace/life.ts';
import type { StoredRecord } from '../../trace/stored-record.ts';
import type { ShownLife } from '../shown-life.ts';

/** Bytes of records in a page: about 5,000 calls, which a browser opens in a second or two. */
const mostBytes = 16 * 1024 * 1024;

/**
 * The newest operations of which a page can hold the records, at least one.
 *
 * @param lines what the journal has of each record
 */
export function cutToFit(
  lives: readonly ShownLife[],
  lines: ReadonlyMap<StoredRecord, string>,
  limit = mostBytes,
): { lives: ShownLife[]; leftOut: number } {
  const sizes = new Map<string, number>();
  for (const [{ id }, line] of lines) sizes.set(id, (sizes.get(id) ?? 0) + Buffer.byteLength(line) + 1);
  const operations = lives.flatMap((life) => life.operations);
  const kept = new Set<Operation>();
  let size = 0;
  for (const operation of [...operations].sort((one, other) => other.start - one.start)) {
    const ids = new Set(operation.children.flatMap(({ record }) => (record ? [record.id] : [])));
    size += [...ids].reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0);
    if (size > limit && kept.size > 0) break;
    kept.add(operation);
  }
  const shown = lives.flatMap(({ life, operations }) => {
    const own = operations.filter((operation) => kept.has(operation));
    return own.length === 0 ? [] : [{ life, operations: own }];
  });
  return { lives: shown, leftOut: operations.length - kept.size };
}

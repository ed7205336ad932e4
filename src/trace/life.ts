import { callSpan } from './call-spans.ts';
import { withCriticalPath } from './critical-path.ts';
import { derivedID, endOf, type LifeSpan } from './life-span.ts';
import { operationsOf } from './operations.ts';
import type { StoredRecord } from './stored-record.ts';

/** All that journals tell of one attachment, or of what is done to a network as a whole (GC, STATUS). */
export interface Life {
  readonly network: string;
  /** Empty where a call is about no attachment, as are the two behind it. */
  readonly containerID: string;
  readonly ifName: string;
  readonly netns: string;
  readonly pod: StoredRecord['pod'];
  /** In the order in which they were done, which is that of their times unless the clock was set back. */
  readonly operations: readonly Operation[];
}

/** One command of the runtime for the attachment: a span whose children are calls, with the gaps between them. */
export interface Operation extends LifeSpan {
  readonly command: string;
  /** Where the runtime said one. */
  readonly traceID: string | undefined;
}

/** Records say the beginning of a call to the millisecond. */
const slopMs = 2;

/**
 * The lives that records tell of, in the order of their first records.
 *
 * @param records in the order in which they were written, of one or many attachments
 */
export function livesOf(records: readonly StoredRecord[]): Life[] {
  const groups = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const key = [record.network, record.containerID, record.ifName].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return [...groups.values()].map(lifeOf);
}

function lifeOf(records: readonly StoredRecord[]): Life {
  const last = records.at(-1) as StoredRecord;
  const { network, containerID, ifName } = last;
  const newestFirst = [...records].reverse();
  return {
    ...{ network, containerID, ifName },
    // DEL may come without.
    netns: newestFirst.find(({ netns }) => netns !== '')?.netns ?? '',
    pod: newestFirst.find(({ pod }) => pod !== undefined)?.pod,
    operations: operationsOf(records).map(operationSpan),
  };
}

function operationSpan(calls: readonly StoredRecord[]): Operation {
  const [first, last] = [calls[0], calls.at(-1)] as [StoredRecord, StoredRecord];
  const id = derivedID('operation', first.id || first.startedAt.getTime());
  const children: LifeSpan[] = [];
  for (const record of calls) {
    const before = children.at(-1);
    const said = record.startedAt.getTime();
    const ended = before === undefined ? said : endOf(before);
    // What the runtime calls next begins later, whatever its clock says.
    const call = callSpan(record, id, Math.max(said, ended));
    if (before?.isOpen) children[children.length - 1] = { ...before, duration: call.start - before.start };
    else if (before !== undefined) children.push(...gapBefore(call, ended, ended - said));
    children.push(call);
  }
  const start = first.startedAt.getTime();
  const failed = children.find(({ error }) => error !== undefined);
  const operation: LifeSpan = {
    ...{ id, parentID: undefined, kind: 'operation', name: last.command || '(no command)', start },
    duration: Math.max(...children.map(endOf)) - start,
    error: failed?.error,
    ...{ isTolerated: false, isOpen: children.at(-1)?.isOpen ?? false, isCritical: true },
    ...{ record: last, account: undefined, children },
  };
  const traceID = last.trace?.parentID === undefined ? undefined : last.trace.traceID;
  return { ...withCriticalPath(operation), command: last.command, traceID };
}

/** What was done between two calls nobody has recorded; `clockBackMs` is by how much they overlap. */
function gapBefore(call: LifeSpan, start: number, clockBackMs: number): LifeSpan[] {
  const duration = call.start - start;
  const isClockBack = clockBackMs > slopMs;
  if (duration <= 0 && !isClockBack) return [];
  const gap: LifeSpan = {
    ...{ id: derivedID(call.id, 'gap'), parentID: call.parentID, kind: 'gap', start, duration },
    name: isClockBack ? 'the clock was set back' : 'runtime, and plugins without a record',
    ...{ error: undefined, isTolerated: false, isOpen: false, isCritical: false },
    ...{ record: undefined, account: undefined, children: [] },
  };
  return [gap];
}

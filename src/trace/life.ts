import { callSpan } from './call-spans.ts';
import { withCriticalPath } from './critical-path.ts';
import { derivedID, endOf, type LifeSpan } from './life-span.ts';
import { operationsOf } from './operations.ts';
import type { StoredRecord } from './stored-record.ts';
import { type Chain, unrecordedPlugins } from './unrecorded-plugins.ts';

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
  /** Plugins that ran before the first call and behind the last one, and keep no record, so that their time is missing. */
  readonly before: readonly string[];
  readonly behind: readonly string[];
}

/** Records say the beginning of a call to the millisecond. */
const slopMs = 2;

/**
 * The lives that records tell of, in the order of their first records.
 *
 * @param records in the order in which they were written, of one or many attachments
 * @param chainsOf how a network is configured, or was, for the names of plugins that keep no record
 */
export function livesOf(
  records: readonly StoredRecord[],
  chainsOf: (network: string) => readonly Chain[] = () => [],
): Life[] {
  const groups = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const key = [record.network, record.containerID, record.ifName].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return [...groups.values()].map((group) => lifeOf(group, chainsOf(group[0]?.network ?? '')));
}

function lifeOf(records: readonly StoredRecord[], chains: readonly Chain[]): Life {
  const last = records.at(-1) as StoredRecord;
  const { network, containerID, ifName } = last;
  const newestFirst = [...records].reverse();
  return {
    ...{ network, containerID, ifName },
    // DEL may come without.
    netns: newestFirst.find(({ netns }) => netns !== '')?.netns ?? '',
    pod: newestFirst.find(({ pod }) => pod !== undefined)?.pod,
    operations: operationsOf(records).map((calls) => operationSpan(calls, chains)),
  };
}

function operationSpan(calls: readonly StoredRecord[], chains: readonly Chain[]): Operation {
  const [first, last] = [calls[0], calls.at(-1)] as [StoredRecord, StoredRecord];
  const id = derivedID('operation', first.id || first.startedAt.getTime());
  const unrecorded = chains
    .map((chain) => unrecordedPlugins(calls, chain))
    .find((found) => found !== undefined);
  const children: LifeSpan[] = [];
  for (const [index, record] of calls.entries()) {
    const before = children.at(-1);
    const said = record.startedAt.getTime();
    const ended = before === undefined ? said : endOf(before);
    // What the runtime calls next begins later, whatever its clock says.
    const call = callSpan(record, id, Math.max(said, ended));
    if (before?.isOpen) children[children.length - 1] = { ...before, duration: call.start - before.start };
    else if (before !== undefined)
      children.push(...gapBefore(call, ended, ended - said, unrecorded?.[index]));
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
  // What ends early does not come to those behind it.
  const endsEarly = last.kind === 'begin' || (failed !== undefined && last.command !== 'DEL');
  const behind = endsEarly ? [] : (unrecorded?.at(-1) ?? []);
  const around = { before: unrecorded?.[0] ?? [], behind };
  return { ...withCriticalPath(operation), command: last.command, traceID, ...around };
}

/** What was done between two calls nobody has recorded; `clockBackMs` is by how much they overlap. */
function gapBefore(
  call: LifeSpan,
  start: number,
  clockBackMs: number,
  unrecorded: readonly string[] | undefined,
): LifeSpan[] {
  const duration = call.start - start;
  const isClockBack = clockBackMs > slopMs;
  if (duration <= 0 && !isClockBack) return [];
  const gap: LifeSpan = {
    ...{ id: derivedID(call.id, 'gap'), parentID: call.parentID, kind: 'gap', start, duration },
    name: isClockBack ? 'the clock was set back' : gapName(unrecorded),
    ...{ error: undefined, isTolerated: false, isOpen: false, isCritical: false },
    ...{ record: undefined, account: undefined, children: [] },
  };
  return [gap];
}

/** Whose time it is: the runtime's, and that of the plugins that are said or, where nobody knows them, may be there. */
function gapName(unrecorded: readonly string[] | undefined): string {
  return ['runtime', ...(unrecorded ?? ['unrecorded plugins'])].join(', ');
}

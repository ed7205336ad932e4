import { isObject, type Json, stringifyJson } from '../cni/json.ts';
import type { StoredRecord } from './stored-record.ts';

/** A runtime that has called one plugin calls the next at once; in between may be plugins that keep no record. */
const longestGapMs = 120_000;

/** Two elements of a chain that are configured alike stand close to each other; what comes later is a repetition. */
const longestGapOfTwinsMs = 1000;

/** Records say the beginning to the millisecond. */
const slopMs = 2;

/**
 * The calls of one attachment, by the operations of the runtime that they belong to: one ADD of a chain is a call of
 * every plugin. Of a call that ended only that record is kept.
 *
 * @param records in the order in which they were written
 */
export function operationsOf(records: readonly StoredRecord[]): StoredRecord[][] {
  const operations: StoredRecord[][] = [];
  for (const call of callsOf(records)) {
    const current = operations.at(-1);
    if (current !== undefined && continues(current, call)) current.push(call);
    else operations.push([call]);
  }
  return operations;
}

/** One record for each call, in the order in which the calls were first heard of. */
function callsOf(records: readonly StoredRecord[]): StoredRecord[] {
  const calls = new Map<string | symbol, StoredRecord>();
  for (const record of records) {
    const id = record.id === '' ? Symbol() : record.id;
    if (record.kind === 'call' || !calls.has(id)) calls.set(id, record);
  }
  return [...calls.values()];
}

/** What the runtimes do differs; where they say a trace, that decides, else what libcni does. */
function continues(operation: readonly StoredRecord[], next: StoredRecord): boolean {
  const last = operation.at(-1) as StoredRecord;
  if (next.command !== last.command || next.document.boot !== last.document.boot) return false;
  const [trace, lastTrace] = [traceGiven(next), traceGiven(last)];
  if (trace !== lastTrace) return false;
  const isRepeated = operation.some((call) => configurationOf(call) === configurationOf(next));
  const isSameCaller = callerOf(last) === callerOf(next);
  // A wrapper around a plugin is another process each time.
  if (!isSameCaller && (trace === undefined || isRepeated)) return false;
  if (begins(next) || hasOtherInput(last, next) || (stopsAtError(last) && last.error !== undefined))
    return false;
  if (trace !== undefined) return true;
  const gap = next.startedAt.getTime() - endOf(last);
  // One that began inside of another is somebody else's; one that began before it means that the clock was set back.
  if (gap < -slopMs && next.startedAt.getTime() >= last.startedAt.getTime() - slopMs) return false;
  return gap <= (isRepeated ? longestGapOfTwinsMs : longestGapMs);
}

/** The first plugin of a chain is the only one that ADD gives no prevResult. */
function begins({ command, document }: StoredRecord): boolean {
  return command === 'ADD' && document.prevResult === undefined;
}

/** All plugins of another command are given the same; DEL has forgotten it when it is repeated. */
function hasOtherInput(last: StoredRecord, next: StoredRecord): boolean {
  const isGiven = ({ document }: StoredRecord) => document.prevResult !== undefined;
  return next.command !== 'ADD' && isGiven(last) !== isGiven(next);
}

/** DEL goes on, with some runtimes. */
function stopsAtError({ command }: StoredRecord): boolean {
  return command !== 'DEL' && command !== 'GC';
}

function endOf({ startedAt, duration = 0 }: StoredRecord): number {
  return startedAt.getTime() + duration;
}

/** The trace that the runtime said; one that the plugin began itself says nothing of the others. */
function traceGiven({ trace }: StoredRecord): string | undefined {
  return trace?.parentID === undefined ? undefined : trace.traceID;
}

function callerOf({ document }: StoredRecord): Json | undefined {
  const { process } = document;
  return isObject(process) ? stringifyJson(process.ppid ?? null) : undefined;
}

function configurationOf({ document }: StoredRecord): string {
  return stringifyJson(document.configuration ?? null);
}

import { isObject, type Json } from '../cni/json.ts';
import { recordVersion } from './record.ts';
import { storedMend } from './stored-mend.ts';
import { type StoredRecord, storedRecord } from './stored-record.ts';

/**
 * Why a line is none: it is no JSON, or the JSON of something else or of a version of ours that is yet to come; or what
 * `doctor --fix` has written there, which is of no call.
 */
export type Unreadable = 'damaged' | 'unknown' | 'mend';

/** A line of a journal, without its line break. */
export function parseLine(line: Buffer): StoredRecord | Unreadable {
  try {
    // Not parseJson, which takes twenty times as long: what it keeps of numbers matters to nobody who reads a journal.
    const document = JSON.parse(line.toString('utf8'));
    return storedRecord(document) ?? (isMend(document) ? 'mend' : 'unknown');
  } catch {
    return 'damaged';
  }
}

/** The same for whoever wants to know what `doctor --fix` did, too. */
export function parseWithMends(line: Buffer): StoredRecord | Unreadable {
  const record = parseLine(line);
  return record === 'mend' ? (storedMend(JSON.parse(line.toString('utf8'))) ?? 'unknown') : record;
}

function isMend(document: Json | undefined): boolean {
  return isObject(document) && document.v === recordVersion && document.kind === 'mend';
}

export interface LineHead {
  readonly kind: 'begin' | 'call';
  readonly id: string;
}

/** What kind of record of which call a line is, without reading more of it than its beginning if it is as we write it. */
export function headOf(line: Buffer): LineHead | undefined {
  const [, kind, id] = head.exec(line.toString('latin1', 0, headLength)) ?? [];
  if (kind !== undefined && id !== undefined) return { kind: kind as LineHead['kind'], id };
  const record = parseLine(line);
  if (typeof record !== 'object' || record.kind === 'mend') return undefined;
  return { kind: record.kind, id: record.id };
}

const headLength = 128;
const head = /^\{"level":\d+,"time":"[^"]*","v":1,"kind":"(begin|call)","id":"([0-9a-f]+)"/;

/**
 * Whether a line was written before a time, in ISO 8601, as far as that can be told by its beginning. A call that ended
 * then began before that, too.
 */
export function isWrittenBefore(line: Buffer, time: string): boolean {
  const written = writtenAt.exec(line.toString('latin1', 0, headLength))?.[1];
  return written !== undefined && written < time;
}

const writtenAt = /^\{"level":\d+,"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"/;

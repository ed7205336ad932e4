import { type Json, JsonNumber } from '../cni/json.ts';
import { objectsIn, type StoredRecord } from './stored-record.ts';

/** What one plugin took for one command, over all the records that were looked at. Times in ms. */
export interface SummaryRow {
  readonly plugin: string;
  /** The plugin whose record tells of this one; absent for one that keeps records itself. */
  readonly inside?: string;
  readonly command: string;
  readonly calls: number;
  readonly errors: number;
  /** Calls that began and of whose end there is no record; they are in no other number. */
  readonly unended: number;
  /** Undefined where no call has a duration. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly max: number | undefined;
}

interface Tally {
  readonly plugin: string;
  readonly inside?: string;
  readonly command: string;
  readonly durations: number[];
  calls: number;
  errors: number;
  unended: number;
}

/** So many calls may end before one that began before them: a begin is never further from its call. */
const callsAtOnce = 10_000;

/** Counts calls; memory grows by a number a call. */
export class CallSummary {
  private readonly tallies = new Map<string, Tally>();
  private readonly ended = new Set<string>();

  /** @param records the newest first, so that the end of a call is known before its beginning */
  addAll(records: Iterable<StoredRecord>): void {
    for (const record of records) this.add(record);
  }

  /** By plugin and command, a plugin before those inside of it. */
  rows(): SummaryRow[] {
    const rows = [...this.tallies.values()].map(rowOf);
    return rows.sort((one, other) => compare(sortKey(one), sortKey(other)));
  }

  private add(record: StoredRecord): void {
    const { plugin, command, id, kind } = record;
    if (kind === 'begin') {
      if (!this.ended.delete(id)) this.tallyOf({ plugin, command }).unended += 1;
      return;
    }
    this.remember(id);
    count(this.tallyOf({ plugin, command }), record.duration, record.error !== undefined);
    for (const { type, command: given, duration, failure } of objectsIn(record, 'delegates')) {
      if (typeof type !== 'string' || typeof given !== 'string') continue;
      const tally = this.tallyOf({ plugin: type, inside: plugin, command: given });
      count(tally, numberOf(duration), failure !== undefined);
    }
  }

  private remember(id: string): void {
    this.ended.add(id);
    if (this.ended.size <= callsAtOnce) return;
    for (const oldest of this.ended) {
      this.ended.delete(oldest);
      return;
    }
  }

  private tallyOf(what: Pick<Tally, 'plugin' | 'inside' | 'command'>): Tally {
    const key = [what.plugin, what.inside ?? '', what.command].join('\n');
    const tally = this.tallies.get(key) ?? { ...what, durations: [], calls: 0, errors: 0, unended: 0 };
    this.tallies.set(key, tally);
    return tally;
  }
}

function count(tally: Tally, duration: number | undefined, hasFailed: boolean): void {
  tally.calls += 1;
  if (hasFailed) tally.errors += 1;
  if (duration !== undefined) tally.durations.push(duration);
}

function rowOf({ durations, ...tally }: Tally): SummaryRow {
  const sorted = Float64Array.from(durations).sort();
  return { ...tally, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) };
}

/** The smallest that no less than this part of all reach: one that really was measured. */
function quantile(sorted: Float64Array, part: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
}

const order = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'];

function sortKey({ plugin, inside, command }: SummaryRow): string {
  const place = order.indexOf(command);
  return [inside ?? plugin, inside === undefined ? '' : plugin, place < 0 ? 9 : place, command].join('\n');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function numberOf(value: Json | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

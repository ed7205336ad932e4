import type { JsonObject } from '../cni/json.ts';
import type { StoredRecord } from './stored-record.ts';

/**
 * What a span is the time of: one operation of the runtime (`ADD` of the whole chain), the call of a plugin that keeps
 * records, a plugin that ran inside that call, a hook, a step of one of these, or what lies between two calls. Steps are
 * a wait for a lock (`wait`), another executable (`exec`), a request to the kernel (`kernel`), or anything else (`work`).
 */
export type SpanKind = 'operation' | 'call' | 'plugin' | 'hook' | 'gap' | StepKind;

export type StepKind = 'wait' | 'exec' | 'kernel' | 'work';

/** A part of an attachment's life, with the parts that it is made of, in the order in which they began. */
export interface LifeSpan {
  /** 16 hex digits; the same whenever the same records are read. A call's is the ID of its record. */
  readonly id: string;
  /** Undefined for an operation. */
  readonly parentID: string | undefined;
  readonly kind: SpanKind;
  readonly name: string;
  /** ms since 1970, with fractions. */
  readonly start: number;
  /** ms; 0 where nobody knows it. */
  readonly duration: number;
  /** What it failed with. */
  readonly error: string | undefined;
  /** The error was no fault: the plugin went on, as after a look for what is not there. */
  readonly isTolerated: boolean;
  /** It began, and there is no record of its end: it was killed, or still runs. */
  readonly isOpen: boolean;
  /** It is on the critical path of its operation, and takes a tenth of its time or more. */
  readonly isCritical: boolean;
  /** Where it stands; undefined for a gap. Of an operation, that of its last call. */
  readonly record: StoredRecord | undefined;
  /** What the record keeps of the plugin or hook: an entry of `delegates` or `hooks`. */
  readonly account: JsonObject | undefined;
  readonly children: readonly LifeSpan[];
}

/** When a span ended, in ms since 1970. */
export function endOf({ start, duration }: Pick<LifeSpan, 'start' | 'duration'>): number {
  return start + duration;
}

/** A span and all below it, parents first. */
export function* allSpans(span: LifeSpan): Generator<LifeSpan> {
  yield span;
  for (const child of span.children) yield* allSpans(child);
}

/** The ID of a span that has none of its own: made of the record's ID and its place there (FNV-1a, 64 bits). */
export function derivedID(...parts: readonly (string | number)[]): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(parts.join('\n'))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

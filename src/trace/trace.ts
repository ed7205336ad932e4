import type { Environment } from '../cni/environment.ts';
import type { AnswerFault, Clock } from '../cni/plugin.ts';
import { openTrace, type TraceContext } from '../cni/trace-context.ts';
import type { Change } from './change.ts';
import type { ProcessRecord } from './process-record.ts';

/** Something that is wrong or looks so; `rule` is a stable name, `object` what it is about. */
export interface Finding {
  readonly rule: string;
  readonly object: string;
  readonly message: string;
}

/** A part of the call; `at` and `duration` in ms, `at` from the beginning of the call. */
export interface Step {
  readonly name: string;
  readonly at: number;
  readonly duration: number;
  readonly error?: string;
}

/** What one call does, as it goes. */
export class Trace {
  readonly startedAt: Date;
  readonly steps: Step[] = [];
  readonly findings: Finding[] = [];
  /** In the order in which they ended. */
  readonly hooks: ProcessRecord[] = [];
  readonly delegates: ProcessRecord[] = [];
  /** With `snapshot`: what was changed, as much as there is room for. */
  changes: { readonly kept: readonly Change[]; readonly leftOut: number } | undefined;
  /** What was done to the call on purpose, in a few words, and what becomes of its answer. */
  fault: { readonly did: string; readonly answer: AnswerFault } | undefined;
  /** Why there is no record of this call in the journal, if that is so. */
  journalProblem: string | undefined;
  /** Called before another executable runs, so that a call that is killed then has left a record. */
  beforeDelegate: () => void = () => {};
  private readonly start: number;
  private place: TraceContext | undefined;

  constructor(readonly clock: Clock) {
    this.startedAt = clock.now();
    this.start = clock.monotonic();
  }

  /** Takes the call's place in the trace that its environment says; before anything of it is recorded. */
  join(environment: Environment): void {
    this.place = openTrace(environment);
  }

  get context(): TraceContext {
    this.place ??= openTrace({});
    return this.place;
  }

  /** 16 hex digits, the call's span ID; begin and end of a call carry the same. */
  get id(): string {
    return this.context.spanID;
  }

  /** ms since the call began. */
  get elapsed(): number {
    return round(this.clock.monotonic() - this.start);
  }

  find(rule: string, object: string, message: string): void {
    this.findings.push({ rule, object, message });
  }

  /** Runs `operation` and keeps how long it took, also when it throws or rejects. */
  step<T>(name: string, operation: () => T): T {
    const at = this.elapsed;
    const finish = (failure?: { error: string }) => {
      this.steps.push({ name, at, duration: round(this.elapsed - at), ...failure });
    };
    const failed = (thrown: unknown): never => {
      finish({ error: thrown instanceof Error ? thrown.message : String(thrown) });
      throw thrown;
    };
    try {
      const value = operation();
      if (value instanceof Promise) {
        return value.then((settled) => {
          finish();
          return settled;
        }, failed) as T;
      }
      finish();
      return value;
    } catch (thrown) {
      return failed(thrown);
    }
  }
}

/** To the microsecond: more digits are noise. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

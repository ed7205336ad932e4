import type { Command } from '../../src/cni/environment.ts';
import type { CniError } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import type { TraceContext } from '../../src/cni/trace-context.ts';
import type { PluginOutcome } from '../../src/runtime/plugin-outcome.ts';
import type { ProcessRecord } from '../../src/trace/process-record.ts';

/** What a delegate is to do. */
export interface Order {
  readonly type: string;
  readonly command: Command;
  readonly configuration: JsonObject;
  readonly timeoutMs: number;
  /** Its place in the trace. */
  readonly context: TraceContext;
  /** Aborted when the call is to end. */
  readonly signal: AbortSignal;
}

/** One call of a delegate, whichever way it ran. */
export interface Account {
  /** For the journal. */
  readonly record: ProcessRecord;
  /** It may have left something: what an ADD that fails has to remove. */
  readonly hasRun: boolean;
  /** It was ADD, and it was done to the end, whatever the answer is worth and however late it came. */
  readonly hasAdded: boolean;
  readonly outcome: PluginOutcome;
  /** The error of an ADD that succeeded with what is no result. */
  readonly wrongResult: (reason: CniError) => CniError;
}

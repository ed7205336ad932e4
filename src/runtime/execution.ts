import type { Command, Environment } from '../cni/environment.ts';
import type { JsonObject } from '../cni/json.ts';
import type { TraceContext } from '../cni/trace-context.ts';

/** What every call of a plugin needs, whatever it is about. */
export interface Execution {
  /** CNI_PATH: folders with `:` between them. */
  readonly cniPath: string;
  /** For each plugin. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What plugins get besides CNI_*; our own environment unless given. */
  readonly environment?: Environment | undefined;
  /**
   * The trace that calls are a part of, each with a span of its own; unless given, each ADD, DEL and so on of a chain
   * continues the one of the environment, or begins one.
   */
  readonly trace?: TraceContext | undefined;
  /** Is told of each plugin before it is called: `plugin 2 of 3 ("portmap")`. */
  readonly onCall?: ((command: Command, place: string) => void) | undefined;
  /** An open file that the plugins inherit. */
  readonly inherited?: number | undefined;
}

/** One attachment, as a runtime asks for it. */
export interface Attaching extends Execution {
  readonly containerID: string;
  /** A path; may be empty for DEL. */
  readonly netns: string;
  readonly ifName: string;
  /** CNI_ARGS */
  readonly args?: string | undefined;
  readonly capabilityArgs?: JsonObject | undefined;
}

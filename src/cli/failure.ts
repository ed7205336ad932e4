import type { JsonObject } from '../cni/json.ts';

/** Exit statuses of every verb, besides 0: done, and nothing was found. */
export const ExitStatus = {
  /** The answer is no, something was found, or it went wrong. */
  no: 1,
  /** The words make no sense. */
  usage: 2,
  /** It could not be looked at: rights are missing, a file cannot be read. */
  unknown: 3,
} as const;

export type FailureStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** What ends a verb: the message goes to stderr behind the verb's name, and the status out of the process. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(
    readonly status: FailureStatus,
    message: string,
    /** What to do next, a line each. */
    readonly advice: readonly string[] = [],
    /** What `--json` prints in their place. */
    readonly document?: JsonObject,
  ) {
    super(message);
  }
}

/** Wrong usage that the parser does not see by itself. */
export function usageError(message: string, ...advice: string[]): CommandFailure {
  return new CommandFailure(ExitStatus.usage, message, advice);
}

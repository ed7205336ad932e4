import { parseArgs } from '../../src/cni/args.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import { requestRedactor } from '../../src/trace/request-redactor.ts';
import type { Trace } from '../../src/trace/trace.ts';
import type { BuiltIns } from '../built-in.ts';
import type { CallChanges } from './call-changes.ts';
import type { ReadSettings, Settings } from './configuration.ts';
import { losesDelegate } from './delegate-keys.ts';

/** One call of the debug plugin: what it was given, how it is to be done, and what is noted of it. */
export class Call {
  /** Takes secrets out of a text that others will read. */
  readonly redact: (text: string) => string;
  /** With `snapshot`, for the commands that may change something. */
  changes: CallChanges | undefined;

  constructor(
    readonly invocation: Invocation,
    readonly settings: Settings,
    readonly trace: Trace,
    readonly builtIns: BuiltIns,
    private readonly problems: readonly Problem[],
    /** It makes the interface itself, without a delegate. */
    readonly isBridge: boolean,
  ) {
    const { environment, configuration } = invocation;
    this.redact = requestRedactor({ environment, document: configuration.document }, settings.redact).text;
  }

  /** Throws code 7 when a key of ours is malformed. */
  refuseProblems(): void {
    if (this.problems.length === 0) return;
    throw new CniError(
      ErrorCode.invalidConfiguration,
      this.problems.map(({ message }) => message).join('; '),
    );
  }

  /** For what removes things: a key that was mistyped must not keep a pod from ending. */
  noteProblems(): void {
    for (const { path, message } of this.problems) this.trace.find('malformed-key', path, message);
  }

  /** And for a delegate that cannot even be asked to: throws code 7, because what it made stays. */
  refuseLostDelegate(): void {
    const lost = this.problems.filter(losesDelegate);
    if (lost.length === 0) return;
    throw new CniError(ErrorCode.invalidConfiguration, lost.map(({ message }) => message).join('; '));
  }

  /** The error as it is, and at the end of its details where an operator finds all of this call. */
  located(thrown: unknown): CniError {
    const { code, message, details } = CniError.from(thrown);
    const place = this.whereRecorded();
    return new CniError(code, message, { details: details === '' ? place : `${details}; ${place}` });
  }

  private whereRecorded(): string {
    const { journal, cniOutput } = this.settings;
    if (this.trace.journalProblem !== undefined) return `not recorded: ${this.trace.journalProblem}`;
    if (journal) return `record ${this.trace.id} in ${journal.path}`;
    return cniOutput
      ? `record of ${this.trace.startedAt.toISOString()} in ${cniOutput}`
      : 'no record is kept';
  }
}

export function openCall(
  invocation: Invocation,
  trace: Trace,
  builtIns: BuiltIns,
  { settings, problems, isBridge }: ReadSettings,
): Call {
  for (const piece of parseArgs(invocation.args).malformed) {
    trace.find(
      'malformed-args',
      'CNI_ARGS',
      `CNI_ARGS: ${JSON.stringify(piece)} is no pair of key and value`,
    );
  }
  return new Call(invocation, settings, trace, builtIns, problems, isBridge);
}

import { parseArgs } from '../../src/cni/args.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/schema.ts';
import { NamespaceLostError } from '../../src/kernel/netns.ts';
import { redactor } from '../../src/trace/redaction.ts';
import type { Trace } from '../../src/trace/trace.ts';
import type { ReadSettings, Settings } from './configuration.ts';

/** One call of the debug plugin: what it was given, how it is to be done, and what is noted of it. */
export class Call {
  /** Takes secrets out of a text that others will read. */
  readonly redact: (text: string) => string;

  constructor(
    readonly invocation: Invocation,
    readonly settings: Settings,
    readonly trace: Trace,
    private readonly problems: readonly Problem[],
  ) {
    this.redact = redactor(settings.redact).text;
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
    const lost = this.problems.filter(({ path }) => /^delegate\b/.test(path));
    if (lost.length === 0 || this.settings.delegate !== undefined) return;
    throw new CniError(ErrorCode.invalidConfiguration, lost.map(({ message }) => message).join('; '));
  }

  /** Runs all of them in order, whatever they throw, and then throws the first error with the others in its details. */
  async all(...operations: (() => unknown)[]): Promise<void> {
    const errors: CniError[] = [];
    for (const operation of operations) {
      try {
        await operation();
      } catch (thrown) {
        // Whatever came next would be done to another namespace than it is meant for.
        if (thrown instanceof NamespaceLostError) throw thrown;
        errors.push(CniError.from(thrown));
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return;
    // A signal ends all of them with the same words.
    const more = others.map(({ message }) => message).filter((message) => message !== first.message);
    const details = [first.details, ...more].filter((text) => text !== '');
    throw new CniError(first.code, first.message, { details: details.join('; '), cause: first });
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

export function openCall(invocation: Invocation, trace: Trace, { settings, problems }: ReadSettings): Call {
  for (const piece of parseArgs(invocation.args).malformed) {
    trace.find(
      'malformed-args',
      'CNI_ARGS',
      `CNI_ARGS: ${JSON.stringify(piece)} is no pair of key and value`,
    );
  }
  return new Call(invocation, settings, trace, problems);
}

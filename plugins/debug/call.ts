import { CniError, ErrorCode } from '../../src/cni/error.ts';
import type { Invocation } from '../../src/cni/invocation.ts';
import type { Problem } from '../../src/cni/schema.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { readSettings, type Settings } from './configuration.ts';

/** One call of the debug plugin: what it was given, how it is to be done, and what is noted of it. */
export class Call {
  constructor(
    readonly invocation: Invocation,
    readonly settings: Settings,
    readonly trace: Trace,
    private readonly problems: readonly Problem[],
  ) {}

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

  /** Runs all of them in order, whatever they throw, and then throws the first error with the others in its details. */
  async all(...operations: (() => unknown)[]): Promise<void> {
    const errors: CniError[] = [];
    for (const operation of operations) {
      try {
        await operation();
      } catch (thrown) {
        errors.push(CniError.from(thrown));
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return;
    const details = [first.details, ...others.map(({ message }) => message)].filter((text) => text !== '');
    throw new CniError(first.code, first.message, { details: details.join('; '), cause: first });
  }

  /** Where an operator finds all of this call, for the end of an error's details. */
  get whereRecorded(): string {
    const { journal, cniOutput } = this.settings;
    if (journal) return `record ${this.trace.id} in ${journal.path}`;
    return cniOutput
      ? `record of ${this.trace.startedAt.toISOString()} in ${cniOutput}`
      : 'no record is kept';
  }
}

export function openCall(invocation: Invocation, trace: Trace): Call {
  const { settings, problems } = readSettings(invocation.document);
  return new Call(invocation, settings, trace, problems);
}

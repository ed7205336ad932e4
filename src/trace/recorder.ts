import { CniError, ErrorCode } from '../cni/error.ts';
import type { Outcome, Request } from '../cni/plugin.ts';
import { writeJournal } from './journal.ts';
import type { Journal } from './journal-settings.ts';
import { appendRecord, checkLogFile } from './log-file.ts';
import { beginRecord, callRecord, headline } from './record.ts';
import { type Redactor, redactor } from './redaction.ts';
import { type TextLayout, textEntry, textRecord } from './text-layout.ts';
import type { Trace } from './trace.ts';

export interface RecorderSettings {
  /** Path of the text log; `false` or empty for none. */
  readonly cniOutput: string | false;
  readonly textLayout: TextLayout;
  /** Bytes. */
  readonly cniOutputMaxSize: number;
  readonly journal: Journal | false;
  readonly redact: readonly string[];
  readonly strictLog: boolean;
}

/** Writes what one call was given, did and answered. A log that fails never fails the call, except as `strictLog`. */
export class Recorder {
  private redactor: Redactor;
  /** A lock is held for a fraction of a millisecond, but by processes that a busy node may not let run for long. */
  private lockTimeoutMs = 3000;

  constructor(
    private readonly request: Request,
    private readonly settings: RecorderSettings,
    private readonly trace: Trace,
  ) {
    this.redactor = redactor(settings.redact);
  }

  /** Answers the call and records it: once before another executable runs, once at the end. */
  async record(answer: () => Promise<Outcome>): Promise<Outcome> {
    // A disk that is full must not keep pods from ending.
    const removes = ['DEL', 'GC'].includes(this.request.environment.CNI_COMMAND ?? '');
    const refusal = this.settings.strictLog && !removes ? this.check() : undefined;
    let hasBegun = false;
    this.trace.beforeDelegate = () => {
      if (!hasBegun) this.begin();
      hasBegun = true;
    };
    const given = refusal === undefined ? await answer() : { error: refusal };
    if (this.hasHeard(given)) {
      const { requestRedactor } = await import('./request-redactor.ts');
      this.redactor = requestRedactor(this.request, this.settings.redact);
    }
    const outcome = this.presentable(given);
    this.end(outcome);
    return outcome;
  }

  /** Whether somebody has said something who may repeat what he was given. */
  private hasHeard(outcome: Outcome): boolean {
    const { delegates, hooks, findings } = this.trace;
    return 'error' in outcome || delegates.length + hooks.length + findings.length > 0;
  }

  /** Errors end in the events of a pod, which more people read than a node's logs. */
  private presentable(outcome: Outcome): Outcome {
    if (!('error' in outcome)) return outcome;
    const { code, message, details } = outcome.error;
    const { text } = this.redactor;
    return { error: new CniError(code, text(message), { details: text(details), cause: outcome.error }) };
  }

  private check(): CniError | undefined {
    const { cniOutput, journal } = this.settings;
    try {
      if (cniOutput) checkLogFile(cniOutput, { makeFolder: false });
      if (journal) checkLogFile(journal.path, { makeFolder: true });
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new CniError(ErrorCode.ioFailure, `strictLog: ${reason}`, { cause: error });
    }
  }

  private begin(): void {
    const { journal } = this.settings;
    if (!journal) return;
    this.trace.journalProblem = this.attempt((lockTimeoutMs) => {
      const record = beginRecord(this.request, this.trace, this.redactor);
      const message = this.redactor.text(headline(this.request, this.trace));
      return writeJournal({ ...journal, lockTimeoutMs }, 'info', record, message);
    });
  }

  private end(outcome: Outcome): void {
    const { request, trace, redactor } = this;
    const { cniOutput, cniOutputMaxSize, journal, textLayout } = this.settings;
    if (cniOutput) {
      this.attempt((lockTimeoutMs) => {
        const record = textRecord(textLayout, textEntry(request, trace, outcome, redactor));
        const rotation = { maxSize: cniOutputMaxSize, maxFiles: 2, lockTimeoutMs };
        return appendRecord(cniOutput, record, rotation);
      });
    }
    if (journal) {
      this.attempt((lockTimeoutMs) => {
        const record = callRecord(request, trace, outcome, redactor);
        const level = 'error' in outcome ? 'error' : trace.findings.length > 0 ? 'warn' : 'info';
        const message = redactor.text(headline(request, trace, outcome));
        return writeJournal({ ...journal, lockTimeoutMs }, level, record, message);
      });
    }
  }

  /** Rule 4: what the log cannot take is said on stderr, and the call goes on. Returns why a record was not written. */
  private attempt(write: (lockTimeoutMs: number) => string | undefined): string | undefined {
    try {
      const note = write(this.lockTimeoutMs);
      if (note !== undefined) this.note(note);
      return undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.note(problem);
      return problem;
    }
  }

  private note(text: string): void {
    // A call waits for a lock once: whoever holds it would hold up every pod of the node.
    this.lockTimeoutMs = 0;
    this.request.writeStderr(`cni-debug: ${text}\n`);
  }
}

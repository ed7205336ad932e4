import { CniError, ErrorCode } from '../cni/error.ts';
import type { Outcome, Request } from '../cni/plugin.ts';
import { type Journal, writeJournal } from './journal.ts';
import { appendRecord, checkLogFile } from './log-file.ts';
import { beginRecord, callRecord, headline } from './record.ts';
import { type Redactor, redactor } from './redaction.ts';
import { type TextLayout, textRecord } from './text-layout.ts';
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
  private readonly redactor: Redactor;
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
    const outcome = refusal === undefined ? await answer() : { error: refusal };
    this.end(outcome);
    return outcome;
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
    this.attempt(() => {
      const record = beginRecord(this.request, this.trace, this.redactor);
      return writeJournal(journal, 'info', record, this.redactor.text(headline(this.request)));
    });
  }

  private end(outcome: Outcome): void {
    const { request, trace, redactor } = this;
    const { cniOutput, cniOutputMaxSize, journal, textLayout } = this.settings;
    if (cniOutput) {
      this.attempt(() => {
        const record = textRecord(textLayout, request, trace, outcome, redactor);
        return appendRecord(cniOutput, record, { maxSize: cniOutputMaxSize, maxFiles: 2, makeFolder: false });
      });
    }
    if (journal) {
      this.attempt(() => {
        const record = callRecord(request, trace, outcome, redactor);
        const level = 'error' in outcome ? 'error' : trace.findings.length > 0 ? 'warn' : 'info';
        return writeJournal(journal, level, record, redactor.text(headline(request, outcome)));
      });
    }
  }

  /** Rule 4: what the log cannot take is said on stderr, and the call goes on. */
  private attempt(write: () => string | undefined): void {
    let note: string | undefined;
    try {
      note = write();
    } catch (error) {
      note = error instanceof Error ? error.message : String(error);
    }
    if (note !== undefined) this.request.writeStderr(`cni-debug: ${note}\n`);
  }
}

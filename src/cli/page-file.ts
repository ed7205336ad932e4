import { basename, dirname, join } from 'node:path';
import { SystemError } from '../kernel/system-error.ts';
import { writeWholeFile } from '../kernel/whole-file.ts';
import { changeSentences } from '../trace/change-sentences.ts';
import type { KeptLines } from '../trace/kept-lines.ts';
import { isRunning } from '../trace/living-process.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { noteWhatIsNotShown, type ShownLife } from './shown-life.ts';
import { note, say } from './terminal.ts';

export interface PageRecords {
  /** All that there are of the lives, in the order of the journal. */
  readonly records: readonly StoredRecord[];
  /** Where their lines are. */
  readonly lines: KeptLines;
  /** The one that the reader has asked for. */
  readonly named: StoredRecord | undefined;
}

/**
 * Writes lives as a page, whole: whoever opens the file finds the page of before, or the new one. What records tell is for
 * the operator who asked, so nobody else may read it. `-` is stdout. Throws CommandFailure.
 */
export async function writePage(
  file: string,
  lives: readonly ShownLife[],
  { records, lines, named }: PageRecords,
): Promise<void> {
  // 45 KB of script and style, which no other verb needs.
  const { tracePage } = await import('./page/page.ts');
  const sentencesOf = (record?: StoredRecord) => (record ? changeSentences(record.document) : []);
  const terms = { isRunning, sentencesOf, now: Date.now(), named };
  const texts = new Map(records.map((record) => [record, lines.lineOf(record)]));
  const { html, leftOut } = tracePage(lives, texts, terms);
  if (file === '-') say(html);
  else write(file, html);
  noteWhatIsNotShown(lives);
  if (leftOut > 0) note('trace', `the page has no room for the ${leftOut} oldest operations`);
}

function write(file: string, html: string): void {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    writeWholeFile(file, html, { temporary, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new CommandFailure(ExitStatus.unknown, `the page could not be written: ${error.message}`);
  }
}

import pino from 'pino';
import type { Journal } from './journal-settings.ts';
import { appendRecord } from './log-file.ts';

/** Appends one record as a line of JSON. Returns what is worth noting of it; throws LogFileError. */
export function writeJournal(
  journal: Journal & { readonly lockTimeoutMs?: number },
  level: 'info' | 'warn' | 'error',
  record: object,
  message: string,
): string | undefined {
  let line = '';
  // Not pino's own destination: it follows links, knows no rotation, and leaves half a line on a full disk.
  const destination = {
    write(text: string) {
      line = text;
    },
  };
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  logger[level](record, message);
  return appendRecord(journal.path, line, { ...journal, makeFolder: true });
}

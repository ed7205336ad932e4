import type { Found } from '../trace/found-records.ts';
import { prettyLines, prettyRecord } from '../trace/pretty.ts';
import { storedText } from '../trace/stored-text.ts';
import { wrapped } from '../trace/wrapped-text.ts';
import { chainPositions } from './chain-position.ts';
import { paintFor } from './terminal.ts';

export const logFormats = ['pretty', 'text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface ViewOptions {
  readonly format: LogFormat;
  readonly confDir: string;
  readonly utc?: true;
  readonly steps?: true;
}

/** A found record as it is printed. */
export type LogView = (found: Pick<Found, 'record' | 'line'>) => string | Uint8Array;

export function logView({ format, confDir, utc, steps }: ViewOptions): LogView {
  if (format === 'json') return ({ line }) => Buffer.concat([line, lineBreak]);
  if (format === 'text')
    return (found) => (found.record.kind === 'mend' ? prettyRecord(found.record, plain) : storedText(found));
  const options = { paint: paintFor(), place: chainPositions(confDir), utc, steps };
  return ({ record }) => {
    const [head = '', ...below] = prettyLines(record, options);
    // As wide as it is now: a window may be resized while it follows.
    const width = process.stdout.isTTY ? process.stdout.columns || unlimited : unlimited;
    return [wrapped(head, width, 6), ...below.map((line) => wrapped(line, width, 6)), ''].join('\n');
  };
}

/** The text log has no layout for what is no call. */
const plain = { paint: (_: string, text: string) => text, utc: true };

const lineBreak = Buffer.from('\n');

/** In a pipe a call is one line, for grep. */
const unlimited = Number.POSITIVE_INFINITY;

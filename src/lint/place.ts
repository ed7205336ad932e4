import type { Extent } from './document.ts';

/** A place in a text: line and column from 1, both in UTF-16 code units, and how far it reaches on that line. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line, without its end. */
  readonly source: string;
}

/** Where a part of a text stands; what goes on over several lines ends with the first. */
export function placeOf(text: string, { offset, length }: Extent): Place {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const source = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  return {
    line: lineOf(text, start),
    column: offset - start + 1,
    length: Math.max(1, Math.min(length, source.length - (offset - start))),
    source,
  };
}

function lineOf(text: string, start: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < start; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

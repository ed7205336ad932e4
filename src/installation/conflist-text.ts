import { readFileSync, type Stats, statSync } from 'node:fs';
import { withSystemError } from '../kernel/system-error.ts';
import { contentOfBytes } from './content.ts';
import { Refusal } from './refusal.ts';

/** A conflist as it lies on the disk. */
export interface ConflistText {
  readonly text: string;
  /** As `look` has it. */
  readonly content: string;
  readonly stats: Stats;
}

/** Undefined when there is none. Throws SystemError, Error for what is no regular file, and Refusal for what is not in UTF-8. */
export function readConflistText(path: string): ConflistText | undefined {
  const stats = withSystemError('stat', path, () => statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new Error(`${path} is no regular file`);
  const bytes = withSystemError('open', path, () => readFileSync(path));
  const text = bytes.toString('utf8');
  // It is written again, and must not lose a byte by that.
  if (!Buffer.from(text).equals(bytes)) throw new Refusal(`${path} is not text in UTF-8`);
  return { text, content: contentOfBytes(bytes), stats };
}

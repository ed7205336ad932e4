import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { SystemError, withSystemError } from '../kernel/system-error.ts';
import { blocksFromEnd } from './line-blocks.ts';
import { linesInFromEnd } from './line-search.ts';
import { parseLine } from './record-line.ts';
import type { StoredRecord } from './stored-record.ts';

/**
 * The records of a journal file, the last one first, and no more of the file is read than somebody asks for. A line that
 * is damaged, or was cut, is skipped. Throws SystemError; a file that is not there has no records.
 */
export function* recordsFromEnd(path: string, parse = parseLine): Generator<StoredRecord> {
  const fd = openIfThere(path);
  if (fd === undefined) return;
  try {
    for (const { bytes } of blocksFromEnd({ fd, path, size: fstatSync(fd).size })) {
      for (const { start, end } of linesInFromEnd(bytes)) {
        const record = parse(bytes.subarray(start, end));
        if (typeof record === 'object') yield record;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return withSystemError('open', path, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  }
}

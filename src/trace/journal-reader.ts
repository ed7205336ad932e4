import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parseJson } from '../cni/json.ts';
import { SystemError, withSystemError } from '../kernel/system-error.ts';
import { type StoredRecord, storedRecord } from './stored-record.ts';

/** As much of a line as a record can be, and a piece of a file that is read at once. */
const pieceSize = 1024 * 1024;

/**
 * The records of a journal file, the last one first, and no more of the file is read than somebody asks for. A line that
 * is damaged, or was cut, is skipped. Throws SystemError; a file that is not there has no records.
 */
export function* recordsFromEnd(path: string): Generator<StoredRecord> {
  const fd = openIfThere(path);
  if (fd === undefined) return;
  try {
    for (const line of linesFromEnd(fd, path)) {
      const record = parse(line);
      if (record !== undefined) yield record;
    }
  } finally {
    closeSync(fd);
  }
}

function* linesFromEnd(fd: number, path: string): Generator<string> {
  // The beginning of a line whose end is known, in pieces.
  let rest: Buffer = Buffer.alloc(0);
  for (let end = fstatSync(fd).size; end > 0; ) {
    const start = Math.max(0, end - pieceSize);
    const piece = Buffer.alloc(end - start);
    withSystemError('read', path, () => readSync(fd, piece, 0, piece.length, start));
    const bytes = Buffer.concat([piece, rest]);
    let lineEnd = bytes.length;
    for (let at = bytes.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(10, at - 1)) {
      yield bytes.toString('utf8', at + 1, lineEnd);
      lineEnd = at;
    }
    rest = bytes.subarray(0, lineEnd);
    end = start;
  }
  yield rest.toString('utf8');
}

function parse(line: string): StoredRecord | undefined {
  if (line === '') return undefined;
  try {
    return storedRecord(parseJson(line));
  } catch {
    return undefined;
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

import { parseJson } from '../cni/json.ts';
import { parseLine, type Unreadable } from './record-line.ts';
import { type StoredRecord, storedRecord } from './stored-record.ts';

/** Records with the lines that they were read from, for whoever hands them on as the journal has them. */
export class KeptLines {
  private readonly lines = new WeakMap<StoredRecord, string>();

  /** Reads a line as `parseLine` does. */
  parse(line: Buffer): StoredRecord | Unreadable {
    const record = parseLine(line);
    // The buffer is that of a whole piece of the file, and is used again.
    if (typeof record === 'object') this.lines.set(record, line.toString('utf8'));
    return record;
  }

  /** The record as it is written, numbers with all their digits. One that is too deep for our parser stays as it is. */
  exact(record: StoredRecord): StoredRecord {
    const line = this.lineOf(record);
    try {
      const exact = storedRecord(parseJson(line)) ?? record;
      this.lines.set(exact, line);
      return exact;
    } catch {
      return record;
    }
  }

  /** Without a line break. Throws for a record that was not read here. */
  lineOf(record: StoredRecord): string {
    const line = this.lines.get(record);
    if (line === undefined) throw new Error(`the line of record ${record.id} was not kept`);
    // Between two values it means nothing, and a page takes it for the end of the line.
    return line.replaceAll('\r', ' ');
  }
}

import { parseJson } from '../../src/cni/json.ts';
import { type StoredRecord, storedRecord } from '../../src/trace/stored-record.ts';

const noon = Date.parse('2026-11-20T12:00:00.000Z');

/** Fields of a record that a test is about; `at` is in ms since noon. */
export interface Recorded {
  readonly at?: number;
  readonly [field: string]: unknown;
}

let made = 0;

/** A record as a reader of a journal finds it: an ADD of 10 ms for one and the same attachment, unless said otherwise. */
export function recorded({ at = 0, ...fields }: Recorded = {}): StoredRecord {
  made += 1;
  const document = {
    ...{ v: 1, kind: 'call', id: made.toString(16).padStart(16, '0'), plugin: 'debug', command: 'ADD' },
    ...{ network: 'net', attachment: { containerID: 'c1', ifName: 'eth0', netns: '/run/netns/c1' } },
    ...{ startedAt: new Date(noon + at).toISOString(), duration: 10, process: { pid: 2, ppid: 1 } },
    ...{ boot: 'one', configuration: { type: 'debug' }, prevResult: {}, ...fields },
  };
  const record = storedRecord(parseJson(JSON.stringify(document)));
  if (record === undefined) throw new Error(`this is no record: ${JSON.stringify(document)}`);
  return record;
}

/** The time of a span since noon, in ms. */
export function sinceNoon(time: number): number {
  return Math.round((time - noon) * 1000) / 1000;
}

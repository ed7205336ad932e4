import type { StoredRecord } from '../trace/stored-record.ts';

/** What journals have of whatever a word stands for. */
export interface FoundAttachments {
  /** Of one container, or of one attachment of it; in the order in which they were written. */
  readonly records: readonly StoredRecord[];
  /** Other containers that the word could mean. */
  readonly others: readonly string[];
  /** The record that the word named. */
  readonly named: StoredRecord | undefined;
  /** Records of old that were not looked at, because there are too many; only of all attachments. */
  readonly isCut?: true;
}

/** Of all attachments, the newest: more than anybody looks at, and what fits into memory. */
const mostOfAll = 20_000;

/**
 * The records of the attachment that `last` or a record's ID stands for, or of all attachments of a container (its ID, or
 * the beginning of one) or of a pod (`namespace/name`, or its name); of several that it can mean, of the one that was
 * heard of last. `all` is every attachment. Undefined where there is none.
 *
 * @param read starts anew with every call: records, the newest first
 */
export function findAttachments(
  word: string,
  read: () => Iterable<StoredRecord>,
): FoundAttachments | undefined {
  if (word === 'all') return ofAll(read());
  const named = word === 'last' ? lastOf(read) : recordNamed(word, read);
  if (named === undefined) return ofContainer(word, read());
  const isIts = isOfAttachment(named);
  const records: StoredRecord[] = [];
  // Of a whole journal, only these are kept.
  for (const record of read()) if (isIts(record)) records.push(record);
  return { records: records.reverse(), others: [], named };
}

/** Of an attachment, if there is one: runtimes ask for STATUS all the time. */
function lastOf(read: () => Iterable<StoredRecord>): StoredRecord | undefined {
  return firstOf(read(), ({ containerID }) => containerID !== '') ?? firstOf(read(), () => true);
}

function ofAll(newestFirst: Iterable<StoredRecord>): FoundAttachments | undefined {
  const records: StoredRecord[] = [];
  for (const record of newestFirst) {
    if (records.length === mostOfAll)
      return { records: records.reverse(), others: [], named: undefined, isCut: true };
    records.push(record);
  }
  return records.length === 0 ? undefined : { records: records.reverse(), others: [], named: undefined };
}

function recordNamed(word: string, read: () => Iterable<StoredRecord>): StoredRecord | undefined {
  return /^[0-9a-f]{16}$/.test(word) ? firstOf(read(), ({ id }) => id === word) : undefined;
}

function firstOf(
  records: Iterable<StoredRecord>,
  isIt: (record: StoredRecord) => boolean,
): StoredRecord | undefined {
  for (const record of records) if (isIt(record)) return record;
  return undefined;
}

function isOfAttachment({ network, containerID, ifName }: StoredRecord): (record: StoredRecord) => boolean {
  return (record) =>
    record.network === network && record.containerID === containerID && record.ifName === ifName;
}

/** In one pass: what a word means is known when the newest record that fits it has come, unless an exact one follows. */
function ofContainer(word: string, records: Iterable<StoredRecord>): FoundAttachments | undefined {
  let container: string | undefined;
  let found: StoredRecord[] = [];
  const others = new Set<string>();
  for (const record of records) {
    const { containerID } = record;
    if (containerID === '' || !fits(record, word)) continue;
    const isBetter = containerID === word && container !== word;
    if (container === undefined || isBetter) {
      if (container !== undefined) others.add(container);
      container = containerID;
      others.delete(container);
      found = [];
    }
    if (containerID === container) found.push(record);
    else others.add(containerID);
  }
  if (container === undefined) return undefined;
  // What is meant exactly is meant alone.
  return { records: found.reverse(), others: container === word ? [] : [...others], named: undefined };
}

function fits({ containerID, pod }: StoredRecord, word: string): boolean {
  if (containerID.startsWith(word)) return true;
  return pod !== undefined && (pod.name === word || `${pod.namespace}/${pod.name}` === word);
}

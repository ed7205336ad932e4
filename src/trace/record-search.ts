import { parseIp, sameIp } from '../cni/address.ts';
import { isObject } from '../cni/json.ts';
import { addressesOf } from '../cni/result.ts';
import { mendLines, mentions } from './stored-mend.ts';
import { objectsIn, type StoredRecord } from './stored-record.ts';

/** What is looked for; all of it must be so. */
export interface RecordQuery {
  /** A container ID, or the beginning of one. */
  readonly container?: string | undefined;
  readonly pod?: { readonly namespace?: string | undefined; readonly name: string } | undefined;
  readonly network?: string | undefined;
  readonly command?: string | undefined;
  /** The beginning of a pod, container ID or namespace, an address, or the ID of a record: whatever it fits. */
  readonly about?: string | undefined;
  /** In what a record says: its message, error, findings, addresses. */
  readonly pattern?: RegExp | undefined;
  /** Calls that ended in an error, or never. */
  readonly failed?: boolean | undefined;
  /** Calls that took longer (ms), or never ended. */
  readonly slowerMs?: number | undefined;
  /** Calls that were not over by then. */
  readonly since?: Date | undefined;
  /** Calls that had begun by then. */
  readonly until?: Date | undefined;
}

/** A query as it is asked of many lines. */
export class RecordSearch {
  /** Bytes that every line has that is about what is looked for, the rarest first. */
  readonly needles: readonly Buffer[];
  /** Lines written before need no look, in ISO 8601. Not those behind the first of them: clocks go backwards. */
  readonly notBefore: string | undefined;

  constructor(readonly query: RecordQuery) {
    const { container, about, pod, network, command, since } = query;
    const word = about !== undefined && parseIp(about)?.length === 16 ? undefined : about;
    const texts = [container, lastPart(word), pod?.name, network, command];
    this.needles = texts
      .filter((text) => text !== undefined && isPlain.test(text))
      .map((text) => Buffer.from(text ?? ''));
    this.notBefore = since?.toISOString();
  }

  /** Whether how a call ended decides, so that one must be known to have ended. */
  get asksForEnding(): boolean {
    return this.query.failed === true || this.query.slowerMs !== undefined;
  }

  /** Whether a line can be about it at all. `from` is the first needle that is not known to be in it. */
  mayMatch(line: Buffer, from = 0): boolean {
    return this.needles.every((needle, index) => index < from || line.includes(needle));
  }

  /** Whether the call of a line that may match can have ended as it is asked: to parse a million that have not takes long. */
  mayHaveEndedSo(line: Buffer): boolean {
    if (!this.query.failed) return true;
    return ['"error"', '"begin"', '"mend"'].some((text) => line.includes(text));
  }

  /** A record of kind `begin` is one of a call that never ended. */
  matches(record: StoredRecord): boolean {
    return this.#isAbout(record) && this.#isThen(record) && this.#hasEnded(record) && this.#says(record);
  }

  #isAbout(record: StoredRecord): boolean {
    const { container, pod, network, command, about } = this.query;
    return (
      (container === undefined || names(record, record.containerID, container, 'beginning')) &&
      (pod === undefined || isPod(record, pod)) &&
      (network === undefined || names(record, record.network, network, 'whole')) &&
      (command === undefined || record.command === command) &&
      (about === undefined || isAbout(record, about))
    );
  }

  #isThen({ startedAt, duration = 0 }: StoredRecord): boolean {
    const { since, until } = this.query;
    return (
      (since === undefined || startedAt.getTime() + duration >= since.getTime()) &&
      (until === undefined || startedAt <= until)
    );
  }

  #hasEnded({ kind, error, duration = 0 }: StoredRecord): boolean {
    const { failed, slowerMs } = this.query;
    return (
      kind === 'begin' ||
      ((!failed || error !== undefined) && (slowerMs === undefined || duration > slowerMs))
    );
  }

  #says(record: StoredRecord): boolean {
    const { pattern } = this.query;
    return pattern === undefined || textsOf(record).some((text) => pattern.test(text));
  }
}

/** What no writer of JSON escapes. */
const isPlain = /^[A-Za-z0-9 _.:-]+$/;

/** A mend is about many, and says so in its lines. */
function names(record: StoredRecord, name: string, word: string, part: 'whole' | 'beginning'): boolean {
  const isIt = part === 'whole' ? name === word : name.startsWith(word);
  return isIt || (record.kind === 'mend' && mentions(record, word, part === 'whole'));
}

/** Of a path or of a pod with its namespace: the slash may be escaped. */
function lastPart(word: string | undefined): string | undefined {
  return word?.split('/').at(-1);
}

function isPod({ pod }: StoredRecord, { namespace, name }: NonNullable<RecordQuery['pod']>): boolean {
  return pod !== undefined && pod.name === name && (namespace === undefined || pod.namespace === namespace);
}

function isAbout(record: StoredRecord, word: string): boolean {
  const { id, containerID, netns, pod } = record;
  const ip = parseIp(word);
  if (
    ip !== undefined &&
    addresses(record).some((address) => {
      const other = parseIp(address.split('/')[0] ?? '');
      return other !== undefined && sameIp(ip, other);
    })
  )
    return true;
  return (
    id === word ||
    (record.kind === 'mend' && mentions(record, word, ip !== undefined)) ||
    containerID.startsWith(word) ||
    withoutLink(netns).startsWith(withoutLink(word)) ||
    netns.endsWith(`/${word}`) ||
    (pod !== undefined && (pod.name.startsWith(word) || `${pod.namespace}/${pod.name}`.startsWith(word)))
  );
}

/** The same folder has both names. */
function withoutLink(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

function addresses({ document }: StoredRecord): string[] {
  const { result, prevResult } = document;
  return [result, prevResult].flatMap((one) => (isObject(one) ? addressesOf(one) : []));
}

/** What a record tells a person. */
function textsOf(record: StoredRecord): string[] {
  const { msg, error, document } = record;
  const failures = [...objectsIn(record, 'delegates'), ...objectsIn(record, 'hooks')].map(
    ({ failure }) => failure,
  );
  const steps = objectsIn(record, 'steps').map((step) => step.error);
  const findings = objectsIn(record, 'findings').flatMap(({ rule, object, message }) => [
    rule,
    object,
    message,
  ]);
  const result = isObject(document.result) ? addressesOf(document.result) : [];
  const mended = record.kind === 'mend' ? Object.values(mendLines(record)).flat() : [];
  return [msg, error?.msg, error?.details, ...failures, ...steps, ...findings, ...result, ...mended].filter(
    (text) => typeof text === 'string' && text !== '',
  ) as string[];
}

import type { Ip } from '../cni/address.ts';
import { decodeName, encodeName } from './dns-name.ts';

/** What may be asked for, with its number: RFC 1035, section 3.2.2, and RFC 3596. */
const TYPES = { A: 1, NS: 2, AAAA: 28 } as const;

export type QuestionType = keyof typeof TYPES;

/** What one message asks for. */
export interface DnsQuestion {
  readonly type: QuestionType;
  /** `example.org`; that of the root is empty. */
  readonly name: string;
}

/** What an answer says of a name. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN` */
  readonly code: string;
  /** It did not fit into a datagram: TCP has all of it. */
  readonly isTruncated: boolean;
  /** Of the type that was asked for, where the aliases end. */
  readonly addresses: readonly Ip[];
  /** What the name is an alias of, one after the other. */
  readonly aliases: readonly string[];
}

/** RFC 1035, section 4: a message with one question, and an identifier of its own. Throws RangeError for what is no name. */
export function encodeQuestion({ type, name }: DnsQuestion): Buffer {
  const encoded = encodeName(name);
  if (encoded === undefined) throw new RangeError(`${JSON.stringify(name)} is no name of DNS`);
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, encoded, Buffer.from([0, TYPES[type], 0, CLASS_IN])]);
}

/** `NS of "."`, `AAAA of "example.org"` */
export const questionText = ({ type, name }: DnsQuestion): string => `${type} of "${name || '.'}"`;

/** Whether it is an answer to this question. */
export function answersQuestion(question: Buffer, message: Buffer): boolean {
  return (
    message.length >= HEADER_BYTES &&
    message.readUInt16BE(0) === question.readUInt16BE(0) &&
    (message.readUInt16BE(2) & RESPONSE) !== 0
  );
}

/** `NOERROR`, `SERVFAIL` of an answer. */
export function responseCode(message: Buffer): string {
  const code = message.readUInt16BE(2) & 0x0f;
  return CODES[code] ?? `RCODE ${code}`;
}

/** Reads an answer to a question. Undefined when it is none: a message that is cut off, or that leads astray. */
export function decodeAnswer({ type, name }: DnsQuestion, message: Buffer): DnsAnswer | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const isTruncated = (message.readUInt16BE(2) & TRUNCATED) !== 0;
  const code = responseCode(message);
  // TCP has it whole, and the end of this is missing.
  if (isTruncated) return { code, isTruncated, addresses: [], aliases: [] };
  try {
    const records = answerRecords(message);
    const aliases = aliasesOf(name.replace(/\.$/, '').toLowerCase(), records);
    const owner = aliases.at(-1) ?? name.replace(/\.$/, '').toLowerCase();
    const own = records.filter((one) => one.type === TYPES[type] && one.owner === owner);
    const addresses = own.map(({ data }) => data).filter(({ length }) => length === (type === 'A' ? 4 : 16));
    return { code, isTruncated, addresses, aliases };
  } catch (error) {
    // What is read behind the end of a Buffer is one, too.
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

interface DnsRecord {
  readonly owner: string;
  readonly type: number;
  readonly data: Buffer;
  /** Of an alias. */
  readonly target?: string;
}

/** Those of the section of answers; no more than a message can hold. */
function answerRecords(message: Buffer): DnsRecord[] {
  let at = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left -= 1) at = decodeName(message, at).end + 4;
  const records: DnsRecord[] = [];
  for (let left = message.readUInt16BE(6); left > 0; left -= 1) {
    const { name: owner, end } = decodeName(message, at);
    const type = message.readUInt16BE(end);
    const isInternet = message.readUInt16BE(end + 2) === CLASS_IN;
    const begin = end + 10;
    at = begin + message.readUInt16BE(end + 8);
    if (at > message.length) throw new RangeError('a record that is cut off');
    const data = Buffer.from(message.subarray(begin, at));
    if (!isInternet) continue;
    records.push(
      type === TYPE_CNAME
        ? { owner, type, data, target: decodeName(message, begin).name }
        : { owner, type, data },
    );
  }
  return records;
}

/** A circle ends where it closes. */
function aliasesOf(name: string, records: readonly DnsRecord[]): string[] {
  const targets = new Map(
    records.flatMap(({ owner, target }) => (target === undefined ? [] : [[owner, target]])),
  );
  const aliases: string[] = [];
  for (let at = targets.get(name); at !== undefined && aliases.length < MOST_ALIASES; at = targets.get(at)) {
    if (aliases.includes(at)) break;
    aliases.push(at);
  }
  return aliases;
}

const HEADER_BYTES = 12;
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const CLASS_IN = 1;
const TYPE_CNAME = 5;
/** As many as name servers follow. */
const MOST_ALIASES = 16;
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

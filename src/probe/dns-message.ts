/** RFC 1035, section 4: a question for the name servers of the root, which every resolver knows, and what it asks. */
export const QUESTION = 'NS of "."';

/** The bytes of that question, with an identifier of its own. */
export function encodeRootQuestion(): Buffer {
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const bytes = Buffer.alloc(17);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(RECURSION_DESIRED, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(TYPE_NS, 13);
  bytes.writeUInt16BE(CLASS_IN, 15);
  return bytes;
}

/** Whether it is an answer to this question. */
export function answersQuestion(question: Buffer, message: Buffer): boolean {
  return (
    message.length >= 12 &&
    message.readUInt16BE(0) === question.readUInt16BE(0) &&
    (message.readUInt16BE(2) & RESPONSE) !== 0
  );
}

/** `NOERROR`, `SERVFAIL` of an answer. */
export function responseCode(message: Buffer): string {
  const code = message.readUInt16BE(2) & 0x0f;
  return CODES[code] ?? `RCODE ${code}`;
}

const RESPONSE = 0x8000;
const RECURSION_DESIRED = 0x0100;
const TYPE_NS = 2;
const CLASS_IN = 1;
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

/** RFC 1035, section 3.1: the labels of a name, each behind its length. Undefined for what is no name: too long, or a label of nothing. */
export function encodeName(name: string): Buffer | undefined {
  const text = name.replace(/\.$/, '');
  const labels = text === '' ? [] : text.split('.').map((label) => Buffer.from(label));
  if (labels.some(({ length }) => length === 0 || length > LONGEST_LABEL)) return undefined;
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), label]);
  const bytes = Buffer.concat([...parts, Buffer.from([0])]);
  return bytes.length > LONGEST_NAME ? undefined : bytes;
}

/**
 * Reads a name in a message, in lower case and without the dot of the root, and where it ends. A pointer (section 4.1.4) leads back
 * and never to where it has been, so that this comes to an end. Throws RangeError for what is no name.
 */
export function decodeName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  let length = 1;
  let begun = start;
  let pointers = 0;
  for (let at = start; ; ) {
    const head = message.readUInt8(at);
    if (head === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (head >= POINTER) {
      const target = message.readUInt16BE(at) & 0x3fff;
      pointers += 1;
      if (target >= begun || pointers > MOST_POINTERS) throw new RangeError('a pointer that leads astray');
      end ??= at + 2;
      begun = target;
      at = target;
      continue;
    }
    length += 1 + head;
    if (head > LONGEST_LABEL || length > LONGEST_NAME) throw new RangeError('a name that is too long');
    if (at + 1 + head > message.length) throw new RangeError('a label that is cut off');
    labels.push(labelText(message.subarray(at + 1, at + 1 + head)));
    at += 1 + head;
  }
}

/** With dots and bytes that are no text as `\046`: RFC 1035, section 5.1. */
function labelText(label: Buffer): string {
  return label
    .toString('latin1')
    .toLowerCase()
    .replace(/[^!-~]|[.\\]/g, (one) => `\\${one.charCodeAt(0).toString().padStart(3, '0')}`);
}

const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;
/** A name has no more labels. */
const MOST_POINTERS = 127;
/** The two highest bits of a length say that it is none. */
const POINTER = 0xc0;

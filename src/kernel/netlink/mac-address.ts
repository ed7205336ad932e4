/**
 * The text of a hardware address, in lower-case hexadecimal with colons. Of six bytes mostly, but twenty for
 * InfiniBand, and four for a tunnel, whose address is one of IPv4. Undefined for no bytes.
 */
export function macText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The bytes of what macText writes, in either case. Throws RangeError for other text. */
export function macBytes(text: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is no hardware address`);
  }
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

import { expect } from 'bun:test';
import fc from 'fast-check';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';

/**
 * Cuts and overwrites real bytes, and gives plain noise too: the decoder answers or throws MalformedMessageError, and
 * ends.
 */
export function expectNoCrash(samples: Buffer[], decode: (bytes: Buffer) => unknown): void {
  const change = fc.record({ at: fc.nat(4000), value: fc.constantFrom(0, 1, 3, 4, 0x7f, 0x80, 0xff) });
  const mutated = fc
    .record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(change, { maxLength: 6 }),
      length: fc.option(fc.nat(4000)),
    })
    .map(({ sample, changes, length }) => {
      const bytes = Buffer.from(sample);
      for (const { at, value } of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return length === null ? bytes : bytes.subarray(0, length % (bytes.length + 1));
    });
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, noise), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
    { numRuns: 2000 },
  );
}

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { answersQuestion, decodeAnswer, encodeQuestion, responseCode } from '../../src/probe/dns-message.ts';

const root = { type: 'NS', name: '' } as const;
const www = { type: 'A', name: 'WWW.example.org.' } as const;

/** An answer to a question: records as hex, behind it; 0xc00c points at its name. */
function answerTo(question: Buffer, flags: number, ...records: string[]): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([
    header,
    question.subarray(12),
    Buffer.from(records.join('').replaceAll(' ', ''), 'hex'),
  ]);
}

const address = (owner: string, last = '02'): string => `${owner} 0001 0001 0000003c 0004 c00002${last}`;
const alias = (owner: string, target: string): string =>
  `${owner} 0005 0001 0000003c ${(target.length / 2).toString(16).padStart(4, '0')} ${target}`;

describe('a question', () => {
  test('for the name servers of the root', () => {
    expect(encodeQuestion(root).subarray(2).toString('hex')).toBe('010000010000000000000000020001');
  });

  test('for an address', () => {
    const end = '0361626302636400001c0001';
    expect(encodeQuestion({ type: 'AAAA', name: 'abc.cd.' }).subarray(12).toString('hex')).toBe(end);
  });

  test.each(['a..b', '.', `${'a'.repeat(64)}.org`, 'abc.'.repeat(64)])('for %j is none', (name) => {
    const encode = (): Buffer => encodeQuestion({ type: 'A', name });
    if (name === '.') expect(encode().length).toBe(17);
    else expect(encode).toThrow('is no name of DNS');
  });
});

test('an answer has the same identifier, and says that it is one', () => {
  const question = encodeQuestion(root);
  const answer = Buffer.from(question);
  expect(answersQuestion(question, answer)).toBe(false);
  answer.writeUInt16BE(0x8185, 2);
  expect(answersQuestion(question, answer)).toBe(true);
  expect(responseCode(answer)).toBe('REFUSED');
  answer.writeUInt16BE(question.readUInt16BE(0) ^ 1, 0);
  expect(answersQuestion(question, answer)).toBe(false);
  expect(answersQuestion(question, question.subarray(0, 4))).toBe(false);
});

describe('an answer', () => {
  const question = encodeQuestion(www);
  const decoded = (flags: number, ...records: string[]) =>
    decodeAnswer(www, answerTo(question, flags, ...records));

  test('with addresses; those of other names, types and classes are not its', () => {
    const others = [
      address('0161 00', '09'),
      'c00c 001c 0001 0000003c 0004 c0000209',
      'c00c 0001 0003 0000003c 0004 c0000209',
    ];
    expect(decoded(0x8180, address('c00c'), ...others, address('c00c', '03'))).toEqual({
      ...{ code: 'NOERROR', isTruncated: false, aliases: [] },
      addresses: [Buffer.from([192, 0, 2, 2]), Buffer.from([192, 0, 2, 3])],
    });
  });

  test('with aliases, in whatever order', () => {
    const [b, c] = ['0162 00', '0163 00'];
    expect(decoded(0x8180, address(c), alias(b, '016300'), alias('c00c', '014200'))).toMatchObject({
      ...{ aliases: ['b', 'c'], addresses: [Buffer.from([192, 0, 2, 2])] },
    });
  });

  test('with aliases in a circle, or without end', () => {
    expect(decoded(0x8180, alias('c00c', '016200'), alias('0162 00', 'c00c'))).toMatchObject({
      addresses: [],
    });
    const label = (index: number): string => `02${Buffer.from(String(index)).toString('hex')}00`;
    const chain = Array.from({ length: 40 }, (_, index) => alias(label(10 + index), label(11 + index)));
    expect(decoded(0x8180, alias('c00c', label(10)), ...chain)?.aliases).toHaveLength(16);
  });

  test('that is truncated has nothing to be used', () => {
    expect(decoded(0x8380, address('c00c'))).toMatchObject({ isTruncated: true, addresses: [] });
  });

  test.each([
    ['a pointer to itself', address('c021')],
    ['a pointer ahead', address('c0ff')],
    ['a name that never ends', address(`${'3f'.padEnd(128, '61')}`.repeat(5))],
    ['a record that is longer than the message', 'c00c 0001 0001 0000003c 00ff c0000202'],
    ['a record that is cut off', 'c00c 0001'],
  ])('with %s is none', (_, record) => {
    expect(decoded(0x8180, record)).toBeUndefined();
  });

  test('of any bytes is read or refused, and never more than that', () => {
    const sound = answerTo(question, 0x8180, alias('c00c', '0162c00c'), address('c00c'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255))),
        fc.nat(sound.length),
        (edits, length) => {
          const message = Buffer.from(sound.subarray(0, length));
          for (const [at, value] of edits) if (at < length) message[at] = value;
          decodeAnswer(www, message);
        },
      ),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void decodeAnswer(www, Buffer.from(bytes))),
    );
  });
});

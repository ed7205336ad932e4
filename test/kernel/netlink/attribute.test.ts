import { describe, expect, test } from 'bun:test';
import {
  Attributes,
  attribute,
  nested,
  present,
  stringAttribute,
  u8Attribute,
  u16Attribute,
  u32Attribute,
} from '../../../src/kernel/netlink/attribute.ts';
import { MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('encoding', () => {
  test.each([
    ['bytes, padded', attribute(1, hex('aabbcc')), '0700 0100 aabbcc 00'],
    ['no bytes', attribute(9, Buffer.alloc(0)), '0400 0900'],
    ['a number', u32Attribute(29, 8), '0800 1d00 08000000'],
    ['a number of one byte', u8Attribute(4, 1), '0500 0400 01 000000'],
    ['a number of two bytes', u16Attribute(0, 0x0102), '0600 0000 0201 0000'],
    ['bytes that are no Buffer', attribute(2, Uint8Array.of(10, 22, 0, 5)), '0800 0200 0a160005'],
    ['the greatest number', u32Attribute(1, 0xffffffff), '0800 0100 ffffffff'],
    ['a string with its NUL', stringAttribute(3, 'eth0'), '0900 0300 65746830 00 000000'],
    ['a string of many bytes', stringAttribute(20, 'é'), '0700 1400 c3a9 00 00'],
    [
      'a nest',
      nested(18, stringAttribute(1, 'veth'), nested(2)),
      '1400 1280 0900 0100 76657468 00 000000 0400 0280',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(bytes).toEqual(hex(expected));
  });

  test('a value that nla_len cannot count is refused', () => {
    expect(attribute(1, Buffer.alloc(0xffff - 4)).readUInt16LE()).toBe(0xffff);
    expect(() => attribute(1, Buffer.alloc(0xffff - 3))).toThrow(RangeError);
  });
});

describe('decoding', () => {
  test('each kind of value', () => {
    const attributes = new Attributes(
      Buffer.concat([
        u32Attribute(1, 0xfffffffe),
        stringAttribute(2, 'eth0'),
        attribute(3, Buffer.from('no NUL')),
        attribute(4, Buffer.from('a\0b')),
        nested(5, u32Attribute(1, 7)),
        attribute(6, hex('01')),
        u8Attribute(7, 255),
        u16Attribute(8, 0xfffe),
      ]),
    );
    expect(attributes.u32(1)).toBe(0xfffffffe);
    expect(attributes.s32(1)).toBe(-2);
    expect(attributes.string(2)).toBe('eth0');
    expect(attributes.string(3)).toBe('no NUL');
    expect(attributes.string(4)).toBe('a');
    expect(attributes.nested(5)?.u32(1)).toBe(7);
    expect(attributes.bytes(6)).toEqual(hex('01'));
    expect(attributes.u8(7)).toBe(255);
    expect(attributes.u16(8)).toBe(0xfffe);
    expect(() => attributes.u8(8)).toThrow(MalformedMessageError);
    expect(() => attributes.u16(7)).toThrow(MalformedMessageError);
  });

  test('what is missing is undefined', () => {
    const attributes = new Attributes(Buffer.alloc(0));
    expect([
      attributes.bytes(1),
      attributes.u32(1),
      attributes.s32(1),
      attributes.string(1),
      attributes.nested(1),
    ]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  test('NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type', () => {
    expect(new Attributes(hex('0800 01c0 05000000')).u32(1)).toBe(5);
  });

  test('of two of one type the later counts', () => {
    expect(new Attributes(Buffer.concat([u32Attribute(1, 1), u32Attribute(1, 2)])).u32(1)).toBe(2);
  });

  test('less than a header at the end is padding', () => {
    expect(new Attributes(hex('0800 0100 05000000 000000')).u32(1)).toBe(5);
  });

  test('the last one may lack its padding', () => {
    expect(new Attributes(hex('0500 0100 aa')).bytes(1)).toEqual(hex('aa'));
  });

  test.each([
    ['length 0', '0000 0100'],
    ['length below the header', '0300 0100'],
    ['length beyond the end', '0900 0100 00000000'],
  ])('refuses %s', (_, bytes) => {
    expect(() => new Attributes(hex(bytes))).toThrow(MalformedMessageError);
  });

  test('refuses a number of the wrong size', () => {
    expect(() => new Attributes(hex('0500 0100 aa')).u32(1)).toThrow('attribute 1 has 1 bytes, not 4');
  });

  test('mutated attributes', () => {
    const samples = [...capturedPayloads('links', 16), ...capturedPayloads('routes', 24)].map((payload) =>
      payload.subarray(12),
    );
    expectNoCrash(samples, (bytes) => {
      const attributes = new Attributes(bytes);
      for (let type = 0; type < 64; type++) attributes.string(type);
      attributes.nested(18)?.string(1);
      attributes.u32(4);
    });
  });
});

test('present leaves out undefined, and nothing else', () => {
  const fields = present<{ a: number; b?: string; c?: number }>({ a: 0, b: undefined, c: 0 });
  expect(Object.keys(fields)).toEqual(['a', 'c']);
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  byteOrder,
  type DataType,
  decodeFields,
  encodeFields,
  fieldsText,
  interfaceField,
  interfaceName,
  lengthOf,
  macField,
  portField,
  protocolField,
  typeNumber,
  typesOf,
} from '../../../src/kernel/nftables/data-type.ts';
import { expectNoCrash } from '../netlink/mutation.ts';

const LENGTHS: Record<DataType, number> = {
  ipv4_addr: 4,
  ipv6_addr: 16,
  ether_addr: 6,
  inet_proto: 1,
  inet_service: 2,
  mark: 4,
  ifname: 16,
};
const types = fc.array(fc.constantFrom(...(Object.keys(LENGTHS) as DataType[])), {
  minLength: 1,
  maxLength: 5,
});

test.each<[DataType[], Uint8Array[], string, string]>([
  [['ipv4_addr'], [Uint8Array.of(10, 22, 0, 5)], '0a160005', '10.22.0.5'],
  [['inet_service'], [portField(80)], '0050', '80'],
  [
    ['ipv4_addr', 'inet_proto', 'inet_service'],
    [Uint8Array.of(10, 22, 0, 5), protocolField('tcp'), portField(80)],
    '0a1600050600000000500000',
    '10.22.0.5 . tcp . 80',
  ],
  [
    ['ifname', 'ether_addr'],
    [interfaceField('eth0'), macField('02:00:00:00:00:05')],
    '657468300000000000000000000000000200000000050000',
    '"eth0" . 02:00:00:00:00:05',
  ],
  [['mark'], [Uint8Array.of(0, 32, 0, 0)], '00200000', '0x2000'],
  [['inet_proto'], [Uint8Array.of(89)], '59', '89'],
])('%j', (of, fields, hex, text) => {
  const bytes = encodeFields(of, fields);
  expect(bytes.toString('hex')).toBe(hex);
  expect(bytes.length).toBe(lengthOf(of));
  expect(fieldsText(of, fields)).toBe(text);
});

test.each<[DataType[], number, number]>([
  [['ipv4_addr'], 7, 2],
  [['ifname'], 41, 1],
  [['ipv4_addr', 'inet_proto', 'inet_service'], 0x730d, 0],
])('%j has the number and the byte order of nft', (of, number, order) => {
  expect(typeNumber(of)).toBe(number);
  expect(byteOrder(of)).toBe(order);
});

test('numbers of types that we do not know', () => {
  expect(typesOf(63)).toBeUndefined();
  expect(typesOf((7 << 6) | 63)).toBeUndefined();
});

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(types, fc.infiniteStream(fc.nat(255)), (of, bytes) => {
      const fields = of.map((type) => Buffer.from([...bytes.take(LENGTHS[type])]));
      expect(decodeFields(of, encodeFields(of, fields))).toEqual(fields);
      expect(typesOf(typeNumber(of))).toEqual(of);
    }),
  );
});

test('a field of another length is refused, and so is another number of fields', () => {
  expect(() => encodeFields(['ipv4_addr'], [new Uint8Array(16)])).toThrow('16 bytes for ipv4_addr');
  expect(() => encodeFields(['ipv4_addr'], [])).toThrow('0 fields for ipv4_addr');
  expect(() => interfaceField('a-name-of-16-byt')).toThrow(RangeError);
  expect(interfaceName(interfaceField('a-name-of-15-by'))).toBe('a-name-of-15-by');
});

test('mutated fields', () => {
  expectNoCrash([Buffer.alloc(24)], (bytes) => decodeFields(['ifname', 'ether_addr'], bytes));
});

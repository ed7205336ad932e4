import { expect, test } from 'bun:test';
import { Attributes } from '../../../src/kernel/netlink/attribute.ts';
import { decodeMessages } from '../../../src/kernel/netlink/message.ts';
import { Batch } from '../../../src/kernel/nftables/batch.ts';
import { decodeElements } from '../../../src/kernel/nftables/element.ts';
import { decodeRule } from '../../../src/kernel/nftables/rule.ts';
import { capturedMessages } from '../netlink/captured.ts';
import { elements, plain, rules, writeShop } from './shop.ts';

const NFT_MSG_NEWTABLE = 0xa00;
const NFT_MSG_NEWCHAIN = 0xa03;
const NFT_MSG_NEWRULE = 0xa06;
const NFT_MSG_NEWSET = 0xa09;
const NFT_MSG_NEWSETELEM = 0xa0c;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;

const batch = new Batch();
writeShop(batch);
const written = decodeMessages(batch.encode(1));
const sent = capturedMessages('../nftables/sent');

const payloads = (messages: typeof sent, type: number): Buffer[] =>
  messages.filter((message) => message.type === type).map(({ payload }) => payload);
const hex = (buffers: Buffer[]): string[] => buffers.map((bytes) => bytes.toString('hex')).sort();

test.each([
  ['tables', NFT_MSG_NEWTABLE, 2],
  ['chains', NFT_MSG_NEWCHAIN, 5],
])('%s are what nft sends, to the byte', (_, type, count) => {
  expect(hex(payloads(written, type))).toEqual(hex(payloads(sent, type)));
  expect(payloads(sent, type).length).toBe(count);
});

test('sets are what nft sends, but for their IDs, and what nft itself does not read of concatenations', () => {
  const attributes = (payload: Buffer): Record<number, string | undefined> => {
    const found = new Attributes(payload.subarray(4));
    const types = Array.from({ length: 16 }, (_, index) => index + 1).filter((type) => type !== NFTA_SET_ID);
    const concatenated = (found.bytes(4)?.readUInt32BE() ?? 0) > 63;
    return Object.fromEntries(
      types
        .filter((type) => type !== NFTA_SET_USERDATA || !concatenated)
        .map((type) => [type, found.bytes(type)?.toString('hex')]),
    );
  };
  const named = (messages: typeof sent): unknown[] =>
    payloads(messages, NFT_MSG_NEWSET)
      .map(attributes)
      .sort((one, other) => (`${one[1]}${one[2]}` < `${other[1]}${other[2]}` ? -1 : 1));
  expect(named(written)).toEqual(named(sent));
  expect(named(sent).length).toBe(7);
});

test('rules are what nft sends, but for the IDs of sets', () => {
  const ours = payloads(written, NFT_MSG_NEWRULE).map(decodeRule);
  expect(ours).toEqual(payloads(sent, NFT_MSG_NEWRULE).map(decodeRule));
  expect(ours.length).toBe(rules.length);
});

test('rules without sets are what nft sends, to the byte', () => {
  const withoutSets = (messages: typeof sent): Buffer[] =>
    payloads(messages, NFT_MSG_NEWRULE).filter((payload) => !payload.includes('lookup'));
  expect(hex(withoutSets(written))).toEqual(hex(withoutSets(sent)));
  expect(withoutSets(sent).length).toBe(6);
});

test('elements are what nft sends, to the byte', () => {
  const lists = (messages: typeof sent): Buffer[] =>
    payloads(messages, NFT_MSG_NEWSETELEM).map(
      (payload) => new Attributes(payload.subarray(4)).bytes(NFTA_SET_ELEM_LIST_ELEMENTS) ?? Buffer.alloc(0),
    );
  expect(lists(written).map((bytes) => bytes.toString('hex'))).toEqual(
    lists(sent).map((bytes) => bytes.toString('hex')),
  );
  expect(lists(sent).length).toBe(elements.length);
});

test('what is encoded is decoded', () => {
  const decoded = payloads(written, NFT_MSG_NEWSETELEM).flatMap((payload, index) =>
    decodeElements(elements[index]![0], payload),
  );
  expect(plain(decoded)).toEqual(plain(elements.flatMap(([, list]) => list)));
});

test('a batch begins and ends, and only its last change asks for an acknowledgement', () => {
  expect(written.map(({ type }) => type).filter((type) => type < 0xa00)).toEqual([16, 17]);
  expect(written.map(({ sequence }) => sequence)).toEqual(written.map((_, index) => index + 1));
  const acknowledged = written.filter(({ flags }) => (flags & 4) !== 0);
  expect(acknowledged).toEqual([written.at(-2)!]);
});

test('the generation is a condition of the beginning', () => {
  const [begin] = decodeMessages(batch.encode(1, 0x01020304));
  expect(begin?.payload.toString('hex')).toBe('0000000a0800010001020304');
});

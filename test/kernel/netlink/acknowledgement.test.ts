import { expect, test } from 'bun:test';
import { decodeAcknowledgement } from '../../../src/kernel/netlink/acknowledgement.ts';
import { stringAttribute } from '../../../src/kernel/netlink/attribute.ts';
import { encodeMessage, MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { capturedMessages } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const NLMSG_ERROR = 2;
const NLM_F_ACK_TLVS = 0x200;

test('an error without a text', () => {
  expect(capturedMessages('missing-link').map(decodeAcknowledgement)).toEqual([{ errno: 19 }]);
});

test('an error with the text of the extended acknowledgement, and where the attribute is', () => {
  expect(capturedMessages('refused-link').map(decodeAcknowledgement)).toEqual([
    { errno: 34, kernelMessage: 'Attribute failed policy validation', offset: 32 },
  ]);
});

test('a dump that ends in an error', () => {
  expect(capturedMessages('refused-dump').map(decodeAcknowledgement)).toEqual([
    { errno: 22, kernelMessage: 'ipv4: Invalid values in header for address dump request' },
  ]);
});

test('a dump that ends well', () => {
  const done = capturedMessages('links').at(-1)!;
  expect(decodeAcknowledgement(done)).toEqual({ errno: 0 });
});

test('the whole request may stand before the text', () => {
  const request = encodeMessage({ type: 16, flags: 5, sequence: 1, payload: Buffer.from('seven..') });
  const text = stringAttribute(1, 'because');
  const payload = Buffer.concat([Buffer.from('ffffffff', 'hex'), request, text]);
  const message = { type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, sequence: 1, portId: 0, payload };
  expect(decodeAcknowledgement(message)).toEqual({ errno: 1, kernelMessage: 'because' });
});

test.each([0, 3, 12])('an error of %p bytes is refused', (length) => {
  const message = {
    type: NLMSG_ERROR,
    flags: NLM_F_ACK_TLVS,
    sequence: 1,
    portId: 0,
    payload: Buffer.alloc(length),
  };
  expect(() => decodeAcknowledgement(message)).toThrow(MalformedMessageError);
});

test('mutated acknowledgements', () => {
  const messages = ['missing-link', 'refused-link', 'refused-dump'].flatMap(capturedMessages);
  for (const message of messages) {
    expectNoCrash([message.payload], (payload) => decodeAcknowledgement({ ...message, payload }));
  }
});

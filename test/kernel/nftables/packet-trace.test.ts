import { expect, test } from 'bun:test';
import { nested, stringAttribute } from '../../../src/kernel/netlink/attribute.ts';
import { be32Attribute, be64Attribute } from '../../../src/kernel/netlink/big-endian.ts';
import { netfilterPayload } from '../../../src/kernel/netlink/nfgenmsg.ts';
import { decodeTraceEvent } from '../../../src/kernel/nftables/packet-trace.ts';
import { expectNoCrash } from '../netlink/mutation.ts';

const NFPROTO_INET = 1;
const event = (kind: number, ...more: Buffer[]): Buffer =>
  netfilterPayload(
    NFPROTO_INET,
    0,
    stringAttribute(1, 'guard'),
    stringAttribute(2, 'forward'),
    be32Attribute(4, kind),
    be32Attribute(6, 0xabcd),
    ...more,
  );
const name = { family: 'inet', table: 'guard', chain: 'forward', id: 0xabcd } as const;

test('a rule that drops, the end of a chain, and a policy', () => {
  const drop = nested(5, be32Attribute(1, 0));
  expect(decodeTraceEvent(event(3, be64Attribute(3, 7), drop, be32Attribute(10, 2)))).toEqual({
    ...{ ...name, kind: 'rule', handle: 7, verdict: 0, iif: 2 },
  });
  expect(decodeTraceEvent(event(3, nested(5, be32Attribute(1, -1))))).toEqual({
    ...{ ...name, kind: 'return', verdict: -1 },
  });
  expect(decodeTraceEvent(event(1, be32Attribute(16, 0)))).toEqual({ ...name, kind: 'policy', verdict: 0 });
});

test('of bytes that are none it says so', () => {
  expect(() => decodeTraceEvent(netfilterPayload(NFPROTO_INET, 0))).toThrow('trace of no rule and no policy');
  expectNoCrash([event(1), event(3, be64Attribute(3, 7), nested(5, be32Attribute(1, 0)))], decodeTraceEvent);
});

import { Attributes, nested, stringAttribute } from '../netlink/attribute.ts';
import { attributeList } from '../netlink/attribute-list.ts';
import { MalformedMessageError } from '../netlink/message.ts';
import {
  type Counter,
  counterCodec,
  type Immediate,
  immediateCodec,
  type Masquerade,
  masqCodec,
  type Nat,
  natCodec,
} from './action-expression.ts';
import {
  type Ct,
  ctCodec,
  type Fib,
  fibCodec,
  type Meta,
  type MetaSet,
  metaCodec,
  type Payload,
  payloadCodec,
} from './load-expression.ts';
import {
  type Bitwise,
  bitwiseCodec,
  type Cmp,
  cmpCodec,
  type Lookup,
  lookupCodec,
} from './test-expression.ts';

/** One step of a rule. */
export type Expression =
  | Payload
  | Meta
  | MetaSet
  | Fib
  | Ct
  | Cmp
  | Bitwise
  | Lookup
  | Immediate
  | Masquerade
  | Nat
  | Counter;

/** What somebody else's rule has and ours have not: only the name is known. */
export interface ForeignExpression {
  name: 'foreign';
  /** `match` and `target` are iptables'. */
  kernelName: string;
  /** NFTA_EXPR_DATA as it is. */
  data: Buffer;
}

/** NFTA_RULE_EXPRESSIONS: a list of NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
export function encodeExpressions(type: number, expressions: readonly Expression[]): Buffer {
  return nested(
    type,
    ...expressions.map((expression) => {
      const { encode } = codecs()[expression.name] as Codec;
      const data = nested(NFTA_EXPR_DATA, ...encode(expression));
      return nested(NFTA_LIST_ELEM, stringAttribute(NFTA_EXPR_NAME, expression.name), data);
    }),
  );
}

/** Throws MalformedMessageError. */
export function decodeExpressions(bytes: Buffer): (Expression | ForeignExpression)[] {
  return attributeList(bytes, NFTA_LIST_ELEM).map((element) => {
    const attributes = new Attributes(element);
    const name = attributes.string(NFTA_EXPR_NAME);
    if (name === undefined) throw new MalformedMessageError('expression without a name');
    const codec = codecs()[name];
    const bytes = attributes.bytes(NFTA_EXPR_DATA) ?? Buffer.alloc(0);
    return codec?.decode(new Attributes(bytes)) ?? { name: 'foreign', kernelName: name, data: bytes };
  });
}

/** Whether they are the same to the packet, in the same order. */
export function sameExpressions(
  one: readonly (Expression | ForeignExpression)[],
  other: readonly (Expression | ForeignExpression)[],
): boolean {
  return expressionsText(one) === expressionsText(other);
}

/** Bytes are the same as Buffer and as Uint8Array, which JSON writes each in its own way. */
function expressionsText(expressions: readonly (Expression | ForeignExpression)[]): string {
  return JSON.stringify(
    expressions.map((expression) =>
      Object.entries(expression)
        .map(([key, value]) => [
          key,
          value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
        ])
        .sort(),
    ),
  );
}

interface Codec {
  encode: (expression: Expression) => Buffer[];
  decode: (data: Attributes) => Expression | undefined;
}

/** By the kernel's names. */
const CODECS = {
  payload: payloadCodec,
  meta: metaCodec,
  fib: fibCodec,
  ct: ctCodec,
  cmp: cmpCodec,
  bitwise: bitwiseCodec,
  lookup: lookupCodec,
  immediate: immediateCodec,
  masq: masqCodec,
  nat: natCodec,
  counter: counterCodec,
};

/** Each codec takes the expressions of its own name only, which types cannot say of a table. */
const codecs = (): Record<string, Codec | undefined> =>
  CODECS as unknown as Record<string, Codec | undefined>;

/** include/uapi/linux/netfilter/nf_tables.h */
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

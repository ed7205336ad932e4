import { Attributes, nested, stringAttribute } from '../netlink/attribute.ts';
import { be32Attribute, signedBe32 } from '../netlink/big-endian.ts';
import { MalformedMessageError } from '../netlink/message.ts';

/** What becomes of a packet. */
export type Verdict =
  | { kind: 'accept' | 'drop' | 'continue' | 'break' | 'return' }
  | { kind: 'jump' | 'goto'; chain: string };

/** NFTA_DATA_VERDICT with NFTA_VERDICT_*, as the value of a map's element or of an immediate expression. */
export function encodeVerdict(verdict: Verdict): Buffer {
  const code = be32Attribute(NFTA_VERDICT_CODE, CODES[verdict.kind]);
  const chain = 'chain' in verdict ? [stringAttribute(NFTA_VERDICT_CHAIN, verdict.chain)] : [];
  return nested(NFTA_DATA_VERDICT, code, ...chain);
}

/** The verdict in NFTA_SET_ELEM_DATA and NFTA_IMMEDIATE_DATA; undefined when they hold a value. Throws MalformedMessageError. */
export function decodeVerdict(data: Attributes): Verdict | undefined {
  const value = data.bytes(NFTA_DATA_VERDICT);
  if (value === undefined) return undefined;
  const attributes = new Attributes(value);
  const code = signedBe32(attributes, NFTA_VERDICT_CODE);
  const kind = (Object.keys(CODES) as Verdict['kind'][]).find((name) => CODES[name] === code);
  if (kind === undefined) throw new MalformedMessageError(`verdict ${code}`);
  if (kind !== 'jump' && kind !== 'goto') return { kind };
  const chain = attributes.string(NFTA_VERDICT_CHAIN);
  if (chain === undefined) throw new MalformedMessageError(`${kind} without a chain`);
  return { kind, chain };
}

export function verdictText(verdict: Verdict): string {
  return 'chain' in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
}

/** enum nft_data_attributes and nft_verdict_attributes, include/uapi/linux/netfilter/nf_tables.h */

const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;

/** enum nft_verdicts, and NF_DROP and NF_ACCEPT of netfilter.h */
const CODES: Record<Verdict['kind'], number> = {
  drop: 0,
  accept: 1,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
};

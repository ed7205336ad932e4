import type { Expression, ForeignExpression } from './expression.ts';
import { foreignText } from './foreign-text.ts';
import type { Payload } from './load-expression.ts';
import {
  addressText,
  comparedText,
  ctField,
  fibField,
  type Held,
  headerField,
  hex,
  metaField,
} from './rule-field.ts';
import { verdictText } from './verdict.ts';

/**
 * A rule in a line, much as nft writes it: `tcp dport 8080 dnat to 10.22.0.5:80`. For reading: what only says again
 * what is said (`meta nfproto ipv4` before an IPv4 address) is left out, as counters are, and of an expression that
 * we do not know there is its name.
 */
export function ruleText(expressions: readonly (Expression | ForeignExpression)[]): string {
  const reader = new RuleReader();
  for (const expression of expressions) reader.take(expression);
  return reader.text();
}

class RuleReader {
  readonly #words: string[] = [];
  readonly #held = new Map<number, Held>();
  #isTested = false;
  #protocol: string | undefined;
  #family: string | undefined;

  text(): string {
    // What was tested only for the sake of what follows has been said with it.
    const said = this.#words.filter((word) => word !== '');
    if (this.#protocol !== undefined) said.unshift(`meta l4proto ${this.#protocol}`);
    const isSaid = said.some((word) => /\bip6? /.test(word));
    if (this.#family !== undefined && !isSaid) said.unshift(`meta nfproto ${this.#family}`);
    return said.join(' ');
  }

  take(one: Expression | ForeignExpression): void {
    if (one.name === 'payload') this.#load(one.register, this.#headerField(one));
    else if (one.name === 'meta' && 'set' in one) this.#words.push(`meta ${one.set} set 1`);
    else if (one.name === 'meta') this.#load(one.register, metaField(one.key));
    else if (one.name === 'fib') this.#load(one.register, fibField(one.of, one.result));
    else if (one.name === 'ct') this.#load(one.register, ctField(one.key));
    else if (one.name === 'bitwise')
      this.#held.set(one.register, { ...this.#at(one.source), mask: Buffer.from(one.mask) });
    else if (one.name === 'cmp') this.#compare(one.op, this.#at(one.register), Buffer.from(one.value));
    else if (one.name === 'lookup') this.#lookUp(one);
    else if (one.name === 'immediate') this.#immediate(one);
    else if (one.name === 'masq') this.#words.push('masquerade');
    else if (one.name === 'nat') this.#words.push(`${one.of} to ${this.#target(one)}`);
    else if (one.name === 'foreign') this.#words.push(foreignText(one));
  }

  /** What was loaded for a test is of no use behind it. */
  #load(register: number, held: Held): void {
    if (this.#isTested) this.#held.clear();
    this.#isTested = false;
    this.#held.set(register, held);
  }

  #at(register: number): Held {
    return this.#held.get(register) ?? { name: `reg ${register}`, write: hex };
  }

  #compare(op: string, held: Held, value: Buffer): void {
    this.#isTested = true;
    if (op === 'eq' && held.name === 'meta nfproto') this.#family = held.write(value);
    else if (op === 'eq' && held.name === 'meta l4proto') {
      if (this.#protocol !== undefined) this.#words.push(`meta l4proto ${this.#protocol}`);
      this.#protocol = held.write(value);
    } else if (op === 'neq' && held.mask !== undefined && isZero(value)) {
      // `ct status dnat`: a flag that is set.
      this.#words.push(`${held.name} ${held.write(held.mask)}`);
    } else this.#words.push(`${held.name} ${OPERATORS[op] ?? `${op} `}${comparedText(held, value)}`);
  }

  /** A concatenation begins in the register that is looked up, and has all that was loaded behind it. */
  #lookUp({ register, set, inverted, result }: Extract<Expression, { name: 'lookup' }>): void {
    const fields = [...this.#held].filter(([at]) => positionOf(at) >= positionOf(register));
    const key = fields.map(([, { name }]) => name).join(' . ');
    this.#held.clear();
    this.#isTested = false;
    if (result === undefined) this.#words.push(`${key} ${inverted === true ? '!= ' : ''}@${set}`);
    else if (result === 0) this.#words.push(`${key} vmap @${set}`);
    else this.#held.set(result, { name: `${key} map @${set}`, write: hex });
  }

  #immediate(one: Extract<Expression, { name: 'immediate' }>): void {
    if ('verdict' in one) this.#words.push(verdictText(one.verdict));
    else this.#load(one.register, { name: '', write: hex, value: Buffer.from(one.value) });
  }

  #target({ address, port }: Extract<Expression, { name: 'nat' }>): string {
    const [host, service] = [address, port].map((register) =>
      register === undefined ? undefined : this.#held.get(register),
    );
    // Both out of one map, whose name is at the address.
    if (host !== undefined && host.value === undefined) return host.name;
    const ip = host?.value && addressText(host.value);
    const number = service?.value?.length === 2 ? service.value.readUInt16BE(0) : undefined;
    if (ip === undefined) return number === undefined ? '?' : `:${number}`;
    if (number === undefined) return ip;
    return ip.includes(':') ? `[${ip}]:${number}` : `${ip}:${number}`;
  }

  #headerField({ base, offset, length }: Payload): Held {
    if (base === 'transport' && length === 2 && (offset === 0 || offset === 2)) {
      const protocol = this.#protocol ?? 'th';
      this.#protocol = undefined;
      return {
        name: `${protocol} ${offset === 0 ? 'sport' : 'dport'}`,
        write: (value) => (value.length === 2 ? `${value.readUInt16BE(0)}` : hex(value)),
      };
    }
    return headerField({ base, offset, length }, this.#family);
  }
}

/** Where a register begins, in parts of four bytes: 1 to 4 have four of them each, the others are 8 to 23. */
function positionOf(register: number): number {
  return register < 8 ? (register - 1) * 4 : register - 8;
}

const OPERATORS: Readonly<Record<string, string>> = {
  eq: '',
  neq: '!= ',
  lt: '< ',
  lte: '<= ',
  gt: '> ',
  gte: '>= ',
};

function isZero(value: Buffer): boolean {
  return value.every((byte) => byte === 0);
}

/**
 * JSON documents as the plugins of a chain must hand them on: `__proto__` is a key like any other, the last of
 * two equal keys wins and stands where the last one stood, and a number keeps the digits it was written with.
 */
export type Json = null | boolean | number | string | JsonNumber | Json[] | JsonObject;

/** Has no prototype, so that every key is only a key. Made by `newObject` and `parseJson`. */
export interface JsonObject {
  [key: string]: Json;
}

/** A number that a double would change, such as 9007199254740993 or 1.0, as it was written. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** For `JSON.stringify`, which has no way to write the digits bare: they become a string. */
  toJSON(): string {
    return this.text;
  }
}

/** The number that a JSON value is, when it is an integer that a double holds exactly. */
export function integerOf(value: Json | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** Input that is not one JSON value; `line` and `column` count from 1, in characters. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly line: number;
  readonly column: number;
  constructor(message: string, text: string, position: number) {
    const before = text.slice(0, position).split('\n');
    const line = before.length;
    const column = (before.at(-1) ?? '').length + 1;
    super(`${message} at line ${line}, column ${column}`);
    this.line = line;
    this.column = column;
  }
}

/** Deep enough for every configuration, shallow enough for every stack. */
const maxDepth = 1000;

export function newObject(entries: Iterable<readonly [string, Json]> = []): JsonObject {
  const object: JsonObject = Object.create(null);
  for (const [key, value] of entries) object[key] = value;
  return object;
}

export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  );
}

/** Exactly one JSON value with white space around it (RFC 8259). Throws JsonSyntaxError. */
export function parseJson(text: string): Json {
  return new Parser(text).document();
}

export interface JsonPrefix {
  readonly value: Json;
  /** Index of the first character after the value. */
  readonly end: number;
}

/** The JSON value that begins at `start`, whatever follows it. Throws JsonSyntaxError. */
export function parseJsonPrefix(text: string, start = 0): JsonPrefix {
  return new Parser(text, start).prefix();
}

/** `indent` as in `JSON.stringify`; numbers that were kept as text are written as they came. */
export function stringifyJson(value: Json, indent = ''): string {
  return write(value, indent, '\n');
}

function write(value: Json, indent: string, newline: string): string {
  if (value instanceof JsonNumber) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = indent === '' ? '' : newline + indent;
  const outer = indent === '' ? '' : newline;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${inner}${value.map((item) => write(item, indent, inner)).join(`,${inner}`)}${outer}]`;
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return '{}';
  const colon = indent === '' ? ':' : ': ';
  const members = keys.map((key) => JSON.stringify(key) + colon + write(value[key] as Json, indent, inner));
  return `{${inner}${members.join(`,${inner}`)}${outer}}`;
}

const whiteSpace = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literals: [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Parser {
  private depth = 0;
  constructor(
    private readonly text: string,
    private position = 0,
  ) {}

  document(): Json {
    const { value } = this.prefix();
    this.skipWhiteSpace();
    if (this.position < this.text.length) throw this.error('more after the JSON value:');
    return value;
  }

  prefix(): JsonPrefix {
    this.skipWhiteSpace();
    return { value: this.value(), end: this.position };
  }

  private value(): Json {
    const first = this.text[this.position];
    if (first === '{') return this.nested(() => this.object());
    if (first === '[') return this.nested(() => this.array());
    if (first === '"') return this.string();
    const digits = this.match(number);
    if (digits !== undefined) {
      const double = Number(digits);
      return String(double) === digits ? double : new JsonNumber(digits);
    }
    for (const [word, value] of literals) {
      if (this.text.startsWith(word, this.position)) {
        this.position += word.length;
        return value;
      }
    }
    throw this.error('unexpected');
  }

  private nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > maxDepth) throw this.error(`nested deeper than ${maxDepth} levels:`);
    this.position += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  private object(): JsonObject {
    const object = newObject();
    if (this.take('}')) return object;
    do {
      this.skipWhiteSpace();
      const key = this.string();
      if (!this.take(':')) throw this.error('expected ":" but found');
      this.skipWhiteSpace();
      // Deleted first, so that of two spellings of one name the later stands later, too.
      delete object[key];
      object[key] = this.value();
    } while (this.take(','));
    if (!this.take('}')) throw this.error('expected "," or "}" but found');
    return object;
  }

  private array(): Json[] {
    const array: Json[] = [];
    if (this.take(']')) return array;
    do {
      this.skipWhiteSpace();
      array.push(this.value());
    } while (this.take(','));
    if (!this.take(']')) throw this.error('expected "," or "]" but found');
    return array;
  }

  private string(): string {
    if (this.text[this.position] !== '"') throw this.error('expected a string but found');
    const end = this.endOfString();
    try {
      const value: string = JSON.parse(this.text.slice(this.position, end));
      this.position = end;
      return value;
    } catch {
      throw this.error('bad string at');
    }
  }

  /** Index after the closing quote; no regular expression, whose stack a long string would exhaust. */
  private endOfString(): number {
    let quote = this.position;
    do {
      quote = this.text.indexOf('"', quote + 1);
      if (quote < 0) {
        this.position = this.text.length;
        throw this.error('unterminated string at');
      }
    } while (this.isEscaped(quote));
    return quote + 1;
  }

  private isEscaped(index: number): boolean {
    let first = index;
    while (this.text[first - 1] === '\\') first -= 1;
    return (index - first) % 2 === 1;
  }

  private take(character: string): boolean {
    this.skipWhiteSpace();
    if (this.text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  private skipWhiteSpace(): void {
    this.match(whiteSpace);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  private error(what: string): JsonSyntaxError {
    const found = this.text.codePointAt(this.position);
    const name = found === undefined ? 'the end of the input' : JSON.stringify(String.fromCodePoint(found));
    return new JsonSyntaxError(`${what} ${name}`, this.text, this.position);
  }
}

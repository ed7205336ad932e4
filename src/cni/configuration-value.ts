import { type Cidr, type Ip, parseCidr, parseIp } from './address.ts';
import { ValueError } from './error.ts';
import { isObject, type Json, JsonNumber, type JsonObject } from './json.ts';
import { lookUp } from './keys.ts';
import { keyPath, problemWith } from './problem.ts';

/**
 * A value of the configuration and where it stands. It is read as what it is meant to be, and code 7 is thrown when it
 * is something else; absent and `null` are both undefined. By hand and not by a schema: it is on the way of every ADD,
 * most checks need two values at once, and this is a tenth of the time.
 */
export class ConfigurationValue {
  constructor(
    /** Such as `ipam.ranges[0][1].rangeStart`. */
    readonly path: string,
    readonly value: Json | undefined,
  ) {}

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** A key of this object, in any spelling; of an absent object it is absent, too. */
  key(name: string): ConfigurationValue {
    const object = this.object();
    return new ConfigurationValue(keyPath(this.path, name), object && lookUp(object, name));
  }

  object(): JsonObject | undefined {
    if (this.isAbsent) return undefined;
    if (!isObject(this.value)) throw this.error('is not an object');
    return this.value;
  }

  elements(): ConfigurationValue[] {
    if (this.isAbsent) return [];
    if (!Array.isArray(this.value)) throw this.error('is not an array');
    return this.value.map((item, index) => new ConfigurationValue(`${this.path}[${index}]`, item));
  }

  flag(): boolean | undefined {
    if (this.isAbsent) return undefined;
    if (typeof this.value !== 'boolean') throw this.error('is not a boolean');
    return this.value;
  }

  text(): string | undefined {
    if (this.isAbsent) return undefined;
    if (typeof this.value !== 'string') throw this.error('is not a string');
    return this.value;
  }

  /** An empty text is no address, as Go's `net.IP` reads it. */
  ip(): Ip | undefined {
    const text = this.text() ?? '';
    return text === '' ? undefined : this.parsed(parseIp(text), 'is not an IP address');
  }

  cidr(): Cidr | undefined {
    return this.textAs(parseCidr, 'is not a CIDR address');
  }

  /** What `parse` makes of the text; `complaint` ends the sentence when that is undefined. */
  textAs<T>(parse: (text: string) => T | undefined, complaint: string): T | undefined {
    const text = this.text();
    return text === undefined ? undefined : this.parsed(parse(text), complaint);
  }

  /** A text for which `holds`; `complaint` ends the sentence otherwise. */
  textThat(holds: (text: string) => boolean, complaint: string): string | undefined {
    return this.textAs((text) => (holds(text) ? text : undefined), complaint);
  }

  /** One of these texts, exactly. */
  oneOf<T extends string>(...texts: readonly T[]): T | undefined {
    if (this.isAbsent) return undefined;
    const found = texts.find((text) => text === this.value);
    return this.parsed(found, `is none of ${texts.map((text) => JSON.stringify(text)).join(', ')}`);
  }

  /** As it was written. */
  integer(): Json | undefined {
    if (this.isAbsent) return undefined;
    const number = this.value instanceof JsonNumber ? Number(this.value.text) : this.value;
    return this.parsed(Number.isInteger(number) ? this.value : undefined, 'is not an integer');
  }

  /** Code 7: the path, the value, and what is wrong with it. */
  error(complaint: string): ValueError {
    const { message } = problemWith(this.path, this.value, complaint);
    return new ValueError(this.path, message);
  }

  private parsed<T>(value: T | undefined, complaint: string): T {
    if (value === undefined) throw this.error(complaint);
    return value;
  }
}

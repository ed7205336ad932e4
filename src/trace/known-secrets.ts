import { isObject, type Json, JsonNumber } from '../cni/json.ts';
import type { Redactor } from './redaction.ts';
import { placeholder } from './span.ts';

/** Shorter ones stand in too many words by chance. */
const shortest = 6;

/**
 * Secrets that were met under a telling name. A plugin may repeat one where nothing tells what it is, in a message or in
 * its output: then it is known by itself.
 */
export class KnownSecrets {
  readonly #texts = new Set<string>();
  /** As they may stand in a text, the longest first: one may be a part of another. */
  #forms: readonly string[] | undefined;

  /** @param isTelling whether a text is so peculiar that it is the secret wherever it stands */
  constructor(private readonly isTelling = (text: string) => text.length >= shortest) {}

  /** Learns what the redactor takes out of a document. */
  learn(document: Json, redactor: Redactor): void {
    this.#compare(document, redactor.json(document));
  }

  /** The text without any of them, also where they stand inside a string of JSON. */
  redact(text: string): string {
    this.#forms ??= [...new Set([...this.#texts].flatMap(formsOf))].sort(
      (one, other) => other.length - one.length,
    );
    let redacted = text;
    for (const form of this.#forms) redacted = redacted.replaceAll(form, placeholder);
    return redacted;
  }

  #compare(raw: Json | undefined, redacted: Json | undefined): void {
    if (redacted === placeholder) this.#keep(raw);
    else if (typeof raw === 'string' && typeof redacted === 'string') this.#keepPart(raw, redacted);
    else if (Array.isArray(raw) && Array.isArray(redacted)) {
      for (const [index, item] of raw.entries()) this.#compare(item, redacted[index]);
    } else if (isObject(raw) && isObject(redacted)) {
      for (const [key, member] of Object.entries(raw)) this.#compare(member, redacted[key]);
    }
  }

  /** `https://user:password@host`: what stands where the placeholder does. */
  #keepPart(raw: string, redacted: string): void {
    const [before = '', after, ...more] = redacted.split(placeholder);
    if (after === undefined || more.length > 0) return;
    this.#add(raw.slice(before.length, raw.length - after.length));
  }

  #keep(value: Json | undefined): void {
    if (Array.isArray(value)) for (const item of value) this.#keep(item);
    else if (isObject(value)) for (const member of Object.values(value)) this.#keep(member);
    else if (typeof value === 'string' || typeof value === 'number') this.#add(String(value));
    else if (value instanceof JsonNumber) this.#add(value.text);
  }

  #add(text: string): void {
    if (!this.isTelling(text) || text === placeholder) return;
    this.#texts.add(text);
    this.#forms = undefined;
  }
}

/** As it is, and as a string of JSON has it. */
function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

import { isObject, type Json, JsonNumber, newObject } from '../cni/json.ts';
import { isSecretOption } from './secret-assignments.ts';
import { type IsSecretName, isHarmless, secretNames } from './secret-names.ts';
import { findSecrets } from './secret-scanner.ts';
import { placeholder, replaceSpans } from './span.ts';

export { invalidPattern } from './secret-names.ts';

/** Replaces what looks like a secret by `[redacted]`: values with a telling name, and values of a telling shape. */
export interface Redactor {
  readonly isSecretName: IsSecretName;
  /**
   * Text of any kind: JSON, whole or damaged or cut, output of a program, a message. All that is no secret stays as it
   * is, character by character; what was JSON is JSON after it. The value of a secret name becomes the string
   * `"[redacted]"` whole, be it string, number, object or array; booleans and null stay.
   */
  text(raw: string): string;
  /** A copy of the document; what `text` would make of it written down. */
  json(value: Json): Json;
  /** A copy of the environment; variables that are undefined are left out. */
  environment(variables: Readonly<Record<string, string | undefined>>): Record<string, string>;
  /** `K=V;K=V`, as in CNI_ARGS. */
  cniArgs(text: string): string;
}

/**
 * @param patterns regular expressions for names of secrets, in upper or lower case, on top of the built-in names;
 *   those that `invalidPattern` has something against are ignored
 */
export function redactor(patterns: readonly string[] = []): Redactor {
  const isSecretName = secretNames(patterns);
  const text = (raw: string): string => replaceSpans(raw, findSecrets(raw, isSecretName));
  const named = (name: string, value: string): string =>
    !isHarmless(value) && isSecretName(name) ? placeholder : text(value);
  const cniArgs = (args: string): string =>
    args
      .split(';')
      .map((pair) => {
        const equals = pair.indexOf('=');
        if (equals === -1) return text(pair);
        const name = pair.slice(0, equals);
        return `${name}=${named(name, pair.slice(equals + 1))}`;
      })
      .join(';');
  return {
    isSecretName,
    text,
    json: (value) => redactJson(value, isSecretName),
    environment: (variables) =>
      Object.fromEntries(
        Object.entries(variables).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, name === 'CNI_ARGS' ? cniArgs(value) : named(name, value)]],
        ),
      ),
    cniArgs,
  };
}

function redactJson(value: Json, isSecretName: IsSecretName): Json {
  if (typeof value === 'string') return redactString(value, isSecretName);
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      isValueOfOption(item, value[index - 1], isSecretName) ? placeholder : redactJson(item, isSecretName),
    );
  }
  if (!isObject(value)) return value instanceof JsonNumber ? new JsonNumber(value.text) : value;
  return newObject(
    Object.entries(value).map(([name, member]) => [
      redactString(name, isSecretName),
      isSecretName(name) && member !== null && typeof member !== 'boolean'
        ? placeholder
        : redactJson(member, isSecretName),
    ]),
  );
}

/** `--token`, `abc` in an argv. */
function isValueOfOption(item: Json, before: Json | undefined, isSecretName: IsSecretName): boolean {
  if (typeof item !== 'string' || typeof before !== 'string') return false;
  return !item.startsWith('-') && isSecretOption(before, isSecretName);
}

/** Level 1: a string of a document has had its escapes decoded once. */
function redactString(text: string, isSecretName: IsSecretName): string {
  return replaceSpans(text, findSecrets(text, isSecretName, 1));
}

import { type Json, type JsonObject, newObject } from './json.ts';

/**
 * How Go's encoding/json finds the field that a key names: the exact spelling, else any that is equal without
 * regard to case; each spelling that follows overwrites the one before. Free-form maps are never looked up so.
 */
export function lookUp(object: JsonObject, name: string): Json | undefined {
  const folded = foldKey(name);
  let found: Json | undefined;
  for (const key of Object.keys(object)) {
    if (key === name || foldKey(key) === folded) found = object[key];
  }
  return found;
}

/** A copy with `name` set, in place of every spelling of it; last if it was not there. */
export function withKey(object: JsonObject, name: string, value: Json): JsonObject {
  const copy = withoutKeys(object, name);
  copy[name] = value;
  return copy;
}

/** A copy without the named keys, in any spelling. */
export function withoutKeys(object: JsonObject, ...names: string[]): JsonObject {
  const folded = new Set(names.map(foldKey));
  return newObject(Object.entries(object).filter(([key]) => !folded.has(foldKey(key))));
}

/** A copy in which each of the known keys has the spelling given here; keys not named here stay as they are. */
export function withSpelling(object: JsonObject, names: readonly string[]): JsonObject {
  const spelling = new Map(names.map((name) => [foldKey(name), name]));
  return newObject(Object.entries(object).map(([key, value]) => [spelling.get(foldKey(key)) ?? key, value]));
}

export function isSameKey(one: string, other: string): boolean {
  return foldKey(one) === foldKey(other);
}

/**
 * Equal for keys that Go takes for one. U+017F is the one character that Go folds to ASCII and `toLowerCase` does not.
 */
export function foldKey(key: string): string {
  return key.replaceAll('\u017f', 's').toLowerCase();
}
